import { extensionPoint } from "../plugin/extension-point.js";
import type { ContainerExit } from "./containerizer.js";
import type { Contribution } from "./isolator.js";

/** A fully merged plan: plain data, written beside the container for inspection. */
export interface LaunchPlan {
  readonly containerId: string;
  /** Program and arguments; `argv[0]` is looked up in the plan's PATH. */
  readonly argv: readonly string[];
  /** File to execute, where it is another than `argv[0]`. */
  readonly program?: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly user: string | undefined;
  /** File descriptors or paths (created, appended) for the output. */
  readonly stdout: string;
  readonly stderr: string;
  /** Directory of the container's own runtime files (pid, exit record); exists. */
  readonly runtimeDirectory: string;
  /** What isolators contributed, merged. */
  readonly contribution: Contribution;
}

export interface LaunchedProcess {
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
  /** Follows a process left by an earlier run, by its runtime directory; undefined when no record of it exists. */
  reattach(containerId: string, runtimeDirectory: string): Promise<LaunchedProcess | undefined>;
  /** Signals every process of the container. False when none is left. */
  signal(containerId: string, signal: number): Promise<boolean>;
  /** SIGKILLs everything and resolves when nothing is left. */
  destroy(containerId: string): Promise<void>;
}

export const Launcher = extensionPoint<Launcher, "one">("tepui.launcher", { version: "1.0", cardinality: "one" });
