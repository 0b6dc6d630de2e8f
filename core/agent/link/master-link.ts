import { PongSlaveMessage } from "../../../proto/gen/mesos/internal/messages.js";
import type { MasterInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Clock, Timer } from "../../../sdk/contracts/clock.js";
import type { Election } from "../../../sdk/contracts/election.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { MessageTransport } from "../../../sdk/contracts/message-transport.js";
import type { Random } from "../../../sdk/contracts/random.js";
import { AGENT_ACTOR, DEFAULT_PING_TIMEOUT, REGISTRATION_BACKOFF_MAX } from "../constants.js";

/** So many attempts to register without an answer are worth a word: about ten seconds of them. */
const NOTEWORTHY_ATTEMPTS = 5;

/** A message by its full name. */
export interface NamedMessage {
  readonly name: string;
  readonly body: Uint8Array;
}

export interface MasterLinkHost {
  /** The message to register with now. */
  registration(): NamedMessage;
  /** No longer registered: the master is lost, or another one leads. */
  disconnected(): void;
}

export interface MasterLinkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: MessageTransport;
  readonly election: Election;
  readonly logger: Logger;
  /** Milliseconds. */
  readonly backoffFactor: number;
  readonly host: MasterLinkHost;
}

/**
 * Follows the leading master and keeps the agent registered with it: it waits for a random time, retries with growing pauses until there is
 * an answer, and starts over when the master's pings stop.
 */
export class MasterLink {
  private leader: MasterInfo | undefined;
  private registeredWith: string | undefined;
  private attempt: Timer | undefined;
  private pings: Timer | undefined;
  private pingTimeout = DEFAULT_PING_TIMEOUT;
  private unlink: (() => void) | undefined;
  private unwatch: (() => void) | undefined;
  /** Whether something in the latest report has changed since. */
  private outdated = false;

  /** Attempts to register that the master has not answered. */
  private unanswered = 0;

  constructor(private readonly options: MasterLinkOptions) {}

  start(): void {
    this.unwatch = this.options.election.watch((leader) => this.detected(leader));
  }

  stop(): void {
    this.unwatch?.();
    this.leader = undefined;
    this.cancel();
    this.unlink?.();
  }

  /** Address of the leading master, as far as known. */
  get master(): string | undefined {
    return this.leader?.pid;
  }

  get masterHostname(): string | undefined {
    return this.leader?.address?.hostname ?? this.leader?.hostname;
  }

  get registered(): boolean {
    return this.registeredWith !== undefined;
  }

  isMaster(from: string): boolean {
    return this.leader !== undefined && this.leader.pid === from;
  }

  /** Sends to the leading master; dropped if there is none. */
  send({ name, body }: NamedMessage): void {
    if (this.master === undefined) return;
    this.options.transport.send(this.master, { from: AGENT_ACTOR, name, body });
  }

  /** Re-registers, to tell the master what runs here, unless that is in progress. */
  reregister(): void {
    if (this.registered) this.startOver();
  }

  /** Something differs from the last report, or is about to: re-registers, even if the master has not answered that report yet. */
  changed(): void {
    if (this.registered) this.startOver();
    else this.outdated = true;
  }

  /** The master admitted the agent. False: by a report that is no longer true; it gets another one. */
  accepted(pingTimeoutSeconds: number | undefined): boolean {
    this.pingTimeout = pingTimeoutSeconds === undefined ? DEFAULT_PING_TIMEOUT : pingTimeoutSeconds * 1000;
    if (this.outdated) {
      this.startOver();
      return false;
    }
    this.attempt?.cancel();
    this.registeredWith = this.master;
    this.awaitPing();
    return true;
  }

  /** @param connected whether the master believes the agent to be registered */
  pinged(from: string, connected: boolean): void {
    const { logger, transport } = this.options;
    if (!connected && this.registered) {
      logger.info("the master lost track of this agent; registering again");
      this.startOver();
    }
    if (this.registered) this.awaitPing();
    const body = PongSlaveMessage.encode({}).finish();
    transport.send(from, { from: AGENT_ACTOR, name: "mesos.internal.PongSlaveMessage", body });
  }

  private detected(leader: MasterInfo | undefined): void {
    const { logger } = this.options;
    if (leader === undefined) logger.info("no leading master");
    else logger.info({ master: leader.pid }, "a master leads");
    this.leader = leader;
    this.startOver();
  }

  /** Re-registers with the leader, if there is one. */
  private startOver(): void {
    const { clock, random, backoffFactor, host } = this.options;
    const wasRegistered = this.registered;
    this.registeredWith = undefined;
    this.unanswered = 0;
    this.cancel();
    if (wasRegistered) host.disconnected();
    if (this.leader === undefined) return;
    // All agents of a cluster learn of a new master at the same moment; they must not all contact it at once.
    this.attempt = clock.setTimeout(() => this.register(2 * backoffFactor), random.next() * backoffFactor);
  }

  private register(backoff: number): void {
    const { clock, random, transport, host, logger } = this.options;
    const { master } = this;
    if (master === undefined || this.registered) return;
    this.unlink?.();
    this.unlink = transport.link(master, () => this.disconnected(master));
    const message = host.registration();
    this.outdated = false;
    logger.info({ master, message: message.name }, "registering");
    if (++this.unanswered === NOTEWORTHY_ATTEMPTS)
      logger.warn(
        { master },
        "no answer yet: is that a master, and does it reach this agent by its address?",
      );
    this.send(message);
    const limit = Math.min(backoff, REGISTRATION_BACKOFF_MAX);
    // Not at once: messages that follow an answer in transit would reach an agent that has sent a newer report.
    const wait = (limit * (1 + random.next())) / 2;
    this.attempt = clock.setTimeout(() => this.register(2 * limit), wait);
  }

  /** The connection broke. The same master may be back soon at the same address, without any election. */
  private disconnected(master: string): void {
    if (this.registeredWith !== master) return;
    this.options.logger.warn({ master }, "the connection to the master is lost");
    this.startOver();
  }

  private awaitPing(): void {
    const { clock, logger, transport } = this.options;
    this.pings?.cancel();
    this.pings = clock.setTimeout(() => {
      logger.warn({ timeout: this.pingTimeout }, "no ping from the master; registering again");
      this.startOver();
      // A transport retries an unanswered connection less and less often, at intervals of minutes in the end; the master may be back long
      // before.
      if (this.master !== undefined) transport.reset?.(this.master);
    }, this.pingTimeout);
  }

  private cancel(): void {
    this.attempt?.cancel();
    this.pings?.cancel();
  }
}
