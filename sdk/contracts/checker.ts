import type { CommandInfo, ContainerID } from "../../proto/gen/mesos/v1/mesos.js";
import { extensionPoint } from "../plugin/extension-point.js";
import type { ContainerExit } from "./containerizer.js";

/** What is to be asked; each kind of checker looks at its own part. */
export interface CheckSpec {
  /** Set for commands. */
  readonly command?: CommandInfo | undefined;
  /** IP address, of the loopback interface: `127.0.0.1` or `::1`. */
  readonly address: string;
  /** 0 for commands. */
  readonly port: number;
  /** As the task gives it; `http` where it gives none. */
  readonly scheme: string;
  /** Begins with `/`. */
  readonly path: string;
}

/** Who is to be asked: a container, for as long as its task runs. */
export interface CheckTarget {
  readonly containerId: ContainerID;
  /** A process in the network of the container, as the host sees it; undefined: it is in the host's. */
  readonly pid: number | undefined;
  /**
   * Runs a command in the container, as its user and with its environment, and ends it when the signal is aborted. Undefined: how it ended
   * is not known, since the container ends, too. Rejects when it cannot be run.
   */
  run(command: CommandInfo, signal: AbortSignal): Promise<ContainerExit | undefined>;
}

/** What one check has found. */
export interface CheckOutcome {
  /** What counts for a health check. */
  readonly healthy: boolean;
  /** For people: what was found, where that is not healthy. */
  readonly message?: string | undefined;
  /** What was found, one of them, for the status of a general check. None: the check could not be carried through. */
  readonly exitCode?: number | undefined;
  readonly statusCode?: number | undefined;
  readonly connected?: boolean | undefined;
}

/** One check of one target, to be made again and again. */
export interface PreparedCheck {
  /**
   * Checks once; never called while it is under way. Settles soon after the signal was aborted, and leaves no listener at it. Undefined: nothing was found out, and that
   * is not the target's fault; this time does not count. What it rejects with counts as not healthy.
   */
  run(signal: AbortSignal): Promise<CheckOutcome | undefined>;
  /**
   * Goes on making the check by itself, until what it gives is called, where that costs less than being asked each time. Never called while the
   * check is under way. Undefined: it does not.
   */
  repeat?(repetition: Repetition): (() => void) | undefined;
}

/** How a check is made again and again by its checker. */
export interface Repetition {
  /** Milliseconds from the end of one to the beginning of the next, the first one included. */
  readonly interval: number;
  /** Milliseconds that each may take; 0: any time. */
  readonly timeout: number;
  /** What was found. That a target is as healthy as it was need not be told again. */
  found(outcome: CheckOutcome): void;
  /** One took longer than it may. */
  late(): void;
  /** It cannot go on, and has stopped: `run` is to be asked again. */
  ended(): void;
}

/** One way to find out how a task is. When to check, and what follows from what is found, is not its concern. */
export interface Checker {
  /** Gets ready for one task; does nothing yet. */
  prepare(spec: CheckSpec, target: CheckTarget): PreparedCheck;
}

/**
 * Keyed by kind: `command`, `tcp`, and the scheme for what is asked by HTTP: `http`, `https`. Further kinds are asked for as schemes of HTTP
 * health checks, too: `grpc`, or a name that begins with `x-`.
 */
export const Checker = extensionPoint<Checker, "keyed">("tepui.checker", {
  version: "1.0",
  cardinality: "keyed",
});
