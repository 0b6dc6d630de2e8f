import { join } from "node:path";
import { DAEMON_FLAGS, loadDaemonFlags, usage } from "../core/flags/index.js";
import { packageRoot } from "../core/flags/package-root.js";
import { Kernel } from "../core/kernel/index.js";
import { type LoadedManifest, loadManifest, ManifestSource, settingsOf } from "../core/manifest/index.js";
import type { LogLevel } from "../sdk/contracts/logger.js";
import { MetricsRegistry } from "../sdk/contracts/metrics-registry.js";
import { SystemClock } from "../sdk/contracts/system-clock.js";
import { SystemRandom } from "../sdk/contracts/system-random.js";
import { isTepuiError, messageOf } from "../sdk/errors/index.js";
import type { Target } from "../sdk/plugin/index.js";
import { LineLogger, standardError } from "./log.js";
import { SHIPPED } from "./shipped.js";
import { MESOS_VERSION, TEPUI_VERSION } from "./version.js";

const LOG_LEVELS: Readonly<Record<string, LogLevel>> = { INFO: "info", WARNING: "warn", ERROR: "error" };

/** Where each daemon's packages keep one flag a file. */
const FLAG_FOLDERS: Readonly<Record<Target, readonly string[]>> = {
  master: ["/etc/mesos-master"],
  agent: ["/etc/mesos-slave", "/etc/mesos-agent"],
};

/** The effective manifest of a daemon, from its flags in all their forms; with every problem and warning found on the way. */
export async function manifestFor(target: Target, argv: readonly string[]): Promise<LoadedManifest> {
  const flags = loadDaemonFlags(target, {
    args: argv,
    environment: process.env,
    directories: FLAG_FOLDERS[target],
    files: [{ path: "/etc/mesos/zk", flag: target === "master" ? "zk" : "master" }],
  });
  const given = flags.given.get("manifest")?.value.value;
  const path = typeof given === "string" ? given : shippedManifest(target);
  const manifest = await loadManifest({
    source: await ManifestSource.read(path),
    target,
    shipped: SHIPPED,
    flags: flags.given,
    environment: process.env,
  });
  return {
    ...manifest,
    problems: [...flags.problems, ...manifest.problems],
    warnings: [...flags.warnings, ...manifest.warnings],
  };
}

export function shippedManifest(target: Target): string {
  return join(packageRoot, "manifests", `${target}.yaml`);
}

/** The kernel that runs a manifest. */
export function kernelFor(manifest: LoadedManifest, sink: { write(line: string): void }): Kernel {
  const settings = settingsOf(manifest);
  const clock = new SystemClock();
  const workDir = settings.string("work_dir");
  const least: LogLevel = settings.boolean("quiet", false)
    ? "error"
    : (LOG_LEVELS[settings.string("logging_level", "INFO")] ?? "info");
  return new Kernel({
    host: { target: manifest.target, version: TEPUI_VERSION, ...(workDir !== undefined && { workDir }) },
    services: {
      clock,
      random: new SystemRandom(),
      logger: new LineLogger(settings.boolean("quiet", false) ? { write: () => undefined } : sink, least),
      metrics: new MetricsRegistry(clock),
      settings,
    },
    plugins: manifest.plugins.map(({ entry }) => entry),
    available: async () => Promise.all(Object.values(SHIPPED).map(async (load) => (await load()).default)),
  });
}

/** Runs a daemon until it is told to end. Resolves to the exit code; every problem with flags or manifest is listed, and nothing started. */
export async function runDaemon(options: {
  readonly target: Target;
  readonly argv: readonly string[];
  readonly program: string;
}): Promise<number> {
  const { target, argv, program } = options;
  if (argv.includes("--help")) {
    process.stdout.write(usage(program, DAEMON_FLAGS[target]));
    return 0;
  }
  if (argv.includes("--version")) {
    process.stdout.write(`mesos ${MESOS_VERSION}\n`);
    return 0;
  }
  const sink = standardError();
  const complain = (lines: readonly string[]) => {
    for (const line of lines) process.stderr.write(`${program}: ${line}\n`);
  };
  let kernel: Kernel;
  try {
    const manifest = await manifestFor(target, argv);
    complain(manifest.warnings.map((warning) => `warning: ${warning}`));
    if (manifest.problems.length > 0) {
      complain(manifest.problems);
      return 1;
    }
    kernel = kernelFor(manifest, sink);
  } catch (error) {
    complain([messageOf(error)]);
    return 1;
  }
  // Nothing that a plugin forgot to catch may end the daemon; it is said, with its stack, and work goes on.
  process.on("unhandledRejection", (error) => sink.write(`E unhandled rejection: ${stackOf(error)}\n`));
  process.on("uncaughtException", (error) => sink.write(`E uncaught exception: ${stackOf(error)}\n`));
  process.on("exit", () => sink.flush());
  try {
    return await runUntilTold(kernel, complain);
  } finally {
    sink.flush();
  }
}

async function runUntilTold(kernel: Kernel, complain: (lines: readonly string[]) => void): Promise<number> {
  const told = new Promise<void>((resolve) => {
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
  });
  const booted = kernel.start().then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const failure = await Promise.race([booted, told.then(() => "told" as const)]);
  if (failure !== undefined && failure !== "told") {
    complain([...describe(failure.error)]);
    return 1;
  }
  await told;
  const errors = await kernel.stop();
  complain(errors.map((error) => error.message));
  return errors.length === 0 ? 0 : 1;
}

function describe(error: unknown): readonly string[] {
  if (!isTepuiError(error)) return [stackOf(error)];
  return error.problems.length > 0
    ? [...error.problems, ...(error.hint ? [error.hint] : [])]
    : [error.message];
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
