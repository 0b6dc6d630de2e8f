import { join } from "node:path";
import type { Kernel } from "../core/kernel/index.js";
import { type PreparedDaemon, prepareDaemon } from "../core/manifest/index.js";
import { TimedVerbosity } from "../sdk/contracts/log-verbosity.js";
import type { LogLevel } from "../sdk/contracts/logger.js";
import { MetricsRegistry } from "../sdk/contracts/metrics-registry.js";
import type { Settings } from "../sdk/contracts/settings.js";
import { SystemClock } from "../sdk/contracts/system-clock.js";
import { SystemRandom } from "../sdk/contracts/system-random.js";
import { isTepuiError, messageOf } from "../sdk/errors/index.js";
import { MESOS_VERSION } from "../sdk/mesos-version.js";
import type { Target } from "../sdk/plugin/index.js";
import { etc } from "./etc.js";
import { LineLogger, type LogSink, standardError } from "./log.js";
import { SHIPPED } from "./shipped.js";
import { TEPUI_VERSION } from "./version.js";
import { watchOverProcess } from "./watch-over-process.js";

const LOG_LEVELS: Readonly<Record<string, LogLevel>> = { INFO: "info", WARNING: "warn", ERROR: "error" };

/** Below `/etc`, the directories in which each daemon's packages keep one flag per file. */
const FLAG_FOLDERS: Readonly<Record<Target, readonly string[]>> = {
  master: ["mesos-master"],
  agent: ["mesos-slave", "mesos-agent"],
};

export const NO_LOG: LogSink = { write: () => undefined };

export interface DaemonCommand {
  readonly target: Target;
  readonly argv: readonly string[];
  /** The program's name in help and messages: `mesos-master`. */
  readonly program: string;
  /** Only check the manifest; flags may be missing. */
  readonly alone?: boolean;
}

/** Goes from flags, in all their forms, to a kernel that is ready to start. */
export function prepare(
  { target, argv, program, alone = false }: DaemonCommand,
  sink: LogSink,
): Promise<PreparedDaemon> {
  return prepareDaemon({
    target,
    program,
    alone,
    version: TEPUI_VERSION,
    shipped: SHIPPED,
    args: argv,
    environment: process.env,
    directories: FLAG_FOLDERS[target].map((folder) => join(etc(), folder)),
    files: [{ path: join(etc(), "mesos/zk"), flag: target === "master" ? "zk" : "master" }],
    services: (settings) => {
      const clock = new SystemClock();
      const verbosity = new TimedVerbosity(clock);
      const level = { least: logLevel(settings), verbosity };
      const logger = new LineLogger(settings.boolean("quiet", false) ? NO_LOG : sink, level);
      return { clock, random: new SystemRandom(), logger, verbosity, metrics: new MetricsRegistry(clock) };
    },
  });
}

function logLevel(settings: Settings): LogLevel {
  return LOG_LEVELS[settings.string("logging_level", "INFO")] ?? "info";
}

export interface DaemonEnd {
  readonly code: number;
  /** A plugin did not stop: what it waits for may keep the process from exiting, too. */
  readonly stuck: boolean;
}

const ended = (code: number): DaemonEnd => ({ code, stuck: false });

/** Runs a daemon until it is told to stop. If anything is wrong with flags or manifest, lists every problem and starts nothing. */
export async function runDaemon(command: DaemonCommand): Promise<DaemonEnd> {
  const sink = standardError();
  const complain = (lines: readonly string[]) => {
    for (const line of lines) process.stderr.write(`${command.program}: ${line}\n`);
  };
  let prepared: PreparedDaemon;
  try {
    prepared = await prepare(command, sink);
  } catch (error) {
    complain([messageOf(error)]);
    return ended(1);
  }
  if (prepared.kind === "help") process.stdout.write(prepared.text);
  if (prepared.kind === "version") process.stdout.write(`mesos ${MESOS_VERSION}\n`);
  if (prepared.kind !== "daemon") return ended(0);
  complain(prepared.warnings.map((warning) => `warning: ${warning}`));
  if (prepared.problems.length > 0) {
    complain(prepared.problems);
    return ended(1);
  }
  const logger = new LineLogger(sink, { least: "warn" }, { plugin: "process" });
  const endWatch = watchOverProcess({ logger, complain: (line) => complain([line]) });
  const end = await runUntilTold(prepared.kernel, complain);
  endWatch();
  await sink.end();
  return end;
}

async function runUntilTold(
  kernel: Kernel,
  complain: (lines: readonly string[]) => void,
): Promise<DaemonEnd> {
  const told = new Promise<"told">((resolve) => {
    process.once("SIGTERM", () => resolve("told"));
    process.once("SIGINT", () => resolve("told"));
    // A daemon of a local cluster does not outlive the process that started it.
    if (process.channel !== undefined) process.once("disconnect", () => resolve("told"));
  });
  const booted = kernel.start().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const failure = await Promise.race([booted, told]);
  if (failure !== undefined && failure !== "told") {
    complain(describe(failure.error));
    return ended(1);
  }
  await told;
  const errors = await kernel.stop();
  complain(errors.map((error) => error.message));
  const stuck = errors.some((error) => isTepuiError(error) && error.code === "TEPUI_PLUGIN_STOP_TIMEOUT");
  return { code: errors.length === 0 ? 0 : 1, stuck };
}

function describe(error: unknown): readonly string[] {
  if (!isTepuiError(error)) return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  const source = isTepuiError(error.cause) ? error.cause : error;
  // Errors that combine several problems include their own advice.
  const advice = source.problems.length === 0 ? [`what to do: ${source.hint}`] : [];
  return [...(error.problems.length > 0 ? error.problems : [error.message]), ...advice];
}
