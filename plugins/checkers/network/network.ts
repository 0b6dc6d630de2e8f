import { readlink } from "node:fs/promises";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { CheckOutcome } from "../../../sdk/contracts/checker.js";
import { type NamespaceHelper, NotTheTargetsFault } from "./namespace-helper.js";

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

/** Where a task can be reached: in the host's network, or in that of its container. */
export class Place {
  private own: Promise<boolean> | undefined;

  constructor(
    private readonly helper: NamespaceHelper,
    private readonly pid: number | undefined,
  ) {}

  /**
   * Connects, and lets `talk` find out what there is to be found out. Undefined: the check was aborted, or could not be made.
   *
   * @param talk has to take the `error` events of the connection
   */
  async exchange(
    to: Endpoint & { readonly signal: AbortSignal },
    talk: (connection: Duplex, verdicts: Verdicts) => void,
  ): Promise<CheckOutcome | undefined> {
    const { signal } = to;
    let inHost: boolean;
    try {
      if (this.pid !== undefined) this.own ??= isOwnNetwork(this.pid);
      inHost = (await this.own) ?? true;
    } catch {
      // The container is gone; perhaps it is another's process the next time.
      this.own = undefined;
      return undefined;
    }
    if (signal.aborted) return undefined;
    return new Promise((resolve) => {
      const connection = this.open(to, inHost);
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

  private open({ address, port }: Endpoint, inHost: boolean): Duplex {
    if (!inHost) return this.helper.connect({ pid: this.pid!, address, port });
    const socket = new Socket();
    socket.connect({ host: address, port });
    return socket;
  }
}

export class Network {
  constructor(private readonly helper: NamespaceHelper) {}

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
    if (error instanceof Error && "code" in error && (error.code === "EACCES" || error.code === "EPERM"))
      return true;
    throw error;
  }
}
