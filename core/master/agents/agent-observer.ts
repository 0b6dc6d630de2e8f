import type { Timer } from "../../../sdk/contracts/clock.js";
import type { MasterContext } from "../context.js";
import type { Agent } from "./agent.js";
import type { RemovalLimiter } from "./removal-limiter.js";

export interface AgentObserverOptions {
  readonly context: MasterContext;
  readonly agent: Agent;
  readonly limiter: RemovalLimiter;
  /** The agent has been silent for so long that it counts as unreachable. May be called again while the silence lasts. */
  readonly unhealthy: () => void;
}

/**
 * Pings one agent every `agent_ping_timeout`, from an actor of its own that the agent answers. After `max_agent_ping_timeouts` unanswered
 * pings in a row the agent is marked unreachable as soon as the removal rate permits; an answer before then cancels that.
 */
export class AgentObserver {
  private readonly actor: string;
  private readonly unbind: () => void;
  private timer: Timer;
  private answered = false;
  private missed = 0;
  /** Withdraws the request for permission to mark the agent unreachable. */
  private pending: (() => void) | undefined;

  constructor(private readonly options: AgentObserverOptions) {
    const { clock, ids, options: settings, transport } = options.context;
    this.actor = ids.nextObserver();
    this.unbind = transport.receive(this.actor, ({ name }) => {
      if (name === "mesos.internal.PongSlaveMessage") this.heard();
    });
    this.ping();
    this.timer = clock.setInterval(() => this.timeout(), settings.agentPingTimeout);
  }

  stop(): void {
    this.timer.cancel();
    this.unbind();
    this.pending?.();
  }

  /** The agent has answered or come back. */
  heard(): void {
    this.answered = true;
    this.missed = 0;
    if (this.pending === undefined) return;
    this.pending();
    this.pending = undefined;
    this.options.context.metrics.counters.slave_unreachable_canceled.inc();
    this.options.context.logger.info(
      { agent: this.options.agent.id },
      "An agent answered just before it was given up",
    );
  }

  private ping(): void {
    this.answered = false;
    this.options.context.messages.ping(this.options.agent, this.actor);
  }

  /** Pings continue while an agent waits to be marked unreachable: it may still answer. */
  private timeout(): void {
    if (!this.answered) {
      this.missed++;
      if (this.missed >= this.options.context.options.maxAgentPingTimeouts) this.giveUp();
    }
    this.ping();
  }

  private giveUp(): void {
    if (this.pending !== undefined) return;
    const { counters } = this.options.context.metrics;
    counters.slave_unreachable_scheduled.inc();
    this.pending = () => {};
    const cancel = this.options.limiter.acquire(() => {
      this.pending = undefined;
      counters.slave_unreachable_completed.inc();
      this.options.unhealthy();
    });
    // Permission may have been granted within the call.
    if (this.pending !== undefined) this.pending = cancel;
  }
}
