import { extensionPoint } from "../plugin/extension-point.js";
import type { ContainerOutput } from "./container-logger.js";
import type { ContainerExit } from "./containerizer.js";
import type { Contribution } from "./contribution.js";

/** Who holds the streams of a container that can be attached to; outlives the agent as the container does. */
export interface PlannedSwitchboard {
  /** Unix socket on which it serves them (sdk/container-streams), until the container ended and all attached have what is theirs. Its directory exists. */
  readonly socket: string;
  /** A pseudo-terminal in between, of this size; 0 by 0 where that is not known. Absent: pipes. */
  readonly terminal?: { readonly rows: number; readonly columns: number };
  /** There for who attaches: its output waits for the first one (30 seconds), and for who is slow (a minute without any progress). */
  readonly session?: boolean;
}

/** A fully merged plan: plain data. */
export interface LaunchPlan {
  readonly containerId: string;
  /** Program and arguments; `argv[0]` is looked up in the plan's PATH. */
  readonly argv: readonly string[];
  /** File to execute, where it is another than `argv[0]`. */
  readonly program?: string | undefined;
  /** Complete; with what isolators contributed. */
  readonly environment: Readonly<Record<string, string>>;
  /** As the container sees it. */
  readonly workingDirectory: string;
  /** The sandbox's host path: what relative targets of mounts lie below. */
  readonly sandbox: string;
  readonly user: string | undefined;
  readonly stdout: ContainerOutput;
  readonly stderr: ContainerOutput;
  /** Absent: no standard input, and output goes to the logs alone. */
  readonly switchboard?: PlannedSwitchboard;
  /** File in which the launcher records the container's processes and their end; its directory exists. */
  readonly record: string;
  /** Nobody has to act on the process before the command: it need not wait for `go`, which must be called all the same. */
  readonly immediate?: boolean;
  /** Goes on when the agent dies; otherwise it ends with the agent. */
  readonly outlivesAgent: boolean;
  /** What isolators contributed, merged. `environment`, `finalEnvironment`, `command`, `workingDirectory` and `user` are in the plan already. */
  readonly contribution: Contribution;
}

/**
 * A container that waits. Its first process has joined its cgroups and is in its namespaces, as `/proc/<pid>/ns` shows; outputs, mounts,
 * root and all else come after `go`, and find the files that isolators make until then.
 */
export interface LaunchedProcess {
  /** The container's first process, as the host sees it; with a pid namespace, that one's process 1. */
  readonly pid: number;
  /**
   * Lets the prepared process go on to the command. Must be called once. Resolves when the command runs; rejects with TepuiError
   * `TEPUI_CONTAINER_LAUNCH_FAILED` when it cannot be started (no such program, no such user, ...).
   */
  go(): Promise<void>;
  /** How it ended; survives a restart of the agent through the exit record. */
  readonly exited: Promise<ContainerExit | undefined>;
}

/** Turns a launch plan into a process tree and can end all of it. */
export interface Launcher {
  readonly name: string;
  launch(plan: LaunchPlan): Promise<LaunchedProcess>;
  /** Follows a process left by an earlier run, by its record; undefined when there is none, or its command never ran: the record is gone then. */
  reattach(containerId: string, record: string): Promise<LaunchedProcess | undefined>;
  /**
   * Follows a container that is not of its making, by its first process, and makes a record of it for `reattach`. How it ends cannot be
   * known. Absent: it cannot do that.
   */
  adopt?(containerId: string, record: string, pid: number): Promise<LaunchedProcess | undefined>;
  /** Signals every process of the container. False when none is left. */
  signal(containerId: string, signal: number): Promise<boolean>;
  /** SIGKILLs everything and resolves when nothing is left. The record of the end stays. */
  destroy(containerId: string): Promise<void>;
  /** Removes the record of a container that was destroyed. */
  forget(record: string): Promise<void>;
}

export const Launcher = extensionPoint<Launcher, "one">("tepui.launcher", {
  version: "1.0",
  cardinality: "one",
});
