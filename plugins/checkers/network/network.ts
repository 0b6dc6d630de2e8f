import { readlink } from "node:fs/promises";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { CheckOutcome } from "../../../sdk/contracts/checker.js";
import { errnoOf } from "../../../sdk/errors/index.js";
import { type Answer, type CheckHelper, NotTheTargetsFault } from "./check-helper.js";

export interface Endpoint {
  /** IP address. */
  readonly address: string;
  readonly port: number;
}

/** How an exchange ends; the first word counts, and closes the connection. */
export interface Verdicts {
  found(outcome: CheckOutcome): void;
  /** The connection, or what came through it, is not as it should be. */
  failed(error: Error, outcome?: CheckOutcome): void;
}

/** What is asked without TLS. */
export interface Question extends Endpoint {
  /** As latin1; empty: it is enough to be connected. */
  readonly request: string;
  readonly signal: AbortSignal;
}

/** Where a task can be reached: in the host's network, or in that of its container. */
export class Place {
  /** Whether it is in the host's, once that is known. */
  private inHost: boolean | undefined;

  constructor(
    private readonly helper: CheckHelper,
    private readonly pid: number | undefined,
  ) {
    if (pid === undefined) this.inHost = true;
  }

  /** Whether `ask` can be used: where it can, it costs a fraction of an exchange. */
  get canAsk(): boolean {
    return !this.helper.unavailable;
  }

  /**
   * Connects, sends the request, and gives how the answer begins: its first line, of a redirection the headers. Undefined: the check was
   * aborted, or could not be made.
   */
  ask(question: Question): Promise<Answer | undefined> {
    if (this.inHost !== undefined) return this.put(question);
    return this.find().then((found) => (found ? this.put(question) : undefined));
  }

  private put({ address, port, request, signal }: Question): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(undefined);
      const pid = this.inHost === true ? 0 : this.pid!;
      const cancel = this.helper.ask({ pid, address, port }, request, (answer) => {
        signal.onabort = null;
        resolve(answer.problem instanceof NotTheTargetsFault ? undefined : answer);
      });
      // A listener that is added and removed for each check costs as much as the rest here.
      signal.onabort = () => {
        cancel();
        resolve(undefined);
      };
    });
  }

  /**
   * Has a question asked again and again, until what is given is called. Undefined: that cannot be had here, or not yet.
   *
   * @param told as by the helper; with `gone` it is over
   */
  repeat(
    { address, port, request }: Omit<Question, "signal">,
    times: { readonly interval: number; readonly timeout: number },
    told: (answer: Answer | "late" | "gone") => void,
  ): (() => void) | undefined {
    if (!this.canAsk || this.inHost === undefined) return undefined;
    const to = { pid: this.inHost ? 0 : this.pid!, address, port };
    return this.helper.repeat({ to, request }, times, (answer) =>
      told(answer !== "late" && answer.problem instanceof NotTheTargetsFault ? "gone" : answer),
    );
  }

  /**
   * Connects, and lets `talk` find out what there is to be found out. Undefined: as with `ask`.
   *
   * @param talk has to take the `error` events of the connection
   */
  async exchange(
    to: Endpoint & { readonly signal: AbortSignal },
    talk: (connection: Duplex, verdicts: Verdicts) => void,
  ): Promise<CheckOutcome | undefined> {
    const { signal } = to;
    if (!(await this.find()) || signal.aborted) return undefined;
    return new Promise((resolve) => {
      const connection = this.open(to);
      const end = (outcome: CheckOutcome | undefined): void => {
        signal.removeEventListener("abort", abort);
        connection.destroy();
        resolve(outcome);
      };
      const abort = (): void => end(undefined);
      signal.addEventListener("abort", abort);
      talk(connection, {
        found: end,
        failed: (error, outcome) =>
          end(
            error instanceof NotTheTargetsFault
              ? undefined
              : (outcome ?? { healthy: false, message: error.message }),
          ),
      });
    });
  }

  /** False: the container is gone; perhaps it is another's process the next time. */
  private async find(): Promise<boolean> {
    if (this.inHost !== undefined) return true;
    try {
      this.inHost = await isOwnNetwork(this.pid!);
      return true;
    } catch {
      return false;
    }
  }

  private open({ address, port }: Endpoint): Duplex {
    if (this.inHost !== true) return this.helper.connect({ pid: this.pid!, address, port });
    const socket = new Socket();
    socket.connect({ host: address, port });
    return socket;
  }
}

export class Network {
  constructor(private readonly helper: CheckHelper) {}

  /** @param pid a process in the network in question; undefined: the host's own */
  place(pid: number | undefined): Place {
    return new Place(this.helper, pid);
  }
}

/** Rejects where the process has ended. */
async function isOwnNetwork(pid: number): Promise<boolean> {
  try {
    const [theirs, own] = await Promise.all([readlink(`/proc/${pid}/ns/net`), readlink("/proc/self/ns/net")]);
    return theirs === own;
  } catch (error) {
    // An agent that may not look at a namespace could not have given a container another one.
    if (errnoOf(error) === "EACCES" || errnoOf(error) === "EPERM") return true;
    throw error;
  }
}
