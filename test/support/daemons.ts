/** Starts real daemons for a bench and reads what they cost. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer, type ListenOptions, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endContainers } from "./end-containers.js";

export interface Daemon {
  readonly process: ChildProcess;
  readonly port: number;
  /** Resident memory in MB, now and at its highest. */
  memory(): { now: number; peak: number };
  /** User and system CPU so far, in seconds. */
  cpu(): number;
  stop(): Promise<void>;
  /** Ends it at once with SIGKILL; its port and its files stay for `restart`. */
  kill(): Promise<void>;
  /** The same program with the same flags, port and files, after `kill`. */
  restart(): Promise<Daemon>;
  /** As `restart`, for one that ends by itself, perhaps before it is asked anything. Resolves to its exit code. */
  runToEnd(): Promise<number | null>;
}

const root = new URL("../../..", import.meta.url).pathname;

export interface DaemonOptions {
  /** Folder for profiles of the daemon, written when it stops. */
  readonly profile?: string | undefined;
  /** Of its memory in place of its CPU. */
  readonly heap?: boolean;
  /** File to which its log goes, in place of this process's standard error. */
  readonly log?: string | undefined;
  /** Besides this process's. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts a daemon on a free port and resolves when `/health` answers. Files go to a folder that `stop` removes. */
export async function startDaemon(
  name: "mesos-master" | "mesos-agent",
  flags: readonly string[],
  options: DaemonOptions = {},
): Promise<Daemon> {
  return run({
    name,
    flags,
    port: await freePort(),
    folder: mkdtempSync(join(tmpdir(), "tepui-bench-")),
    options,
  });
}

interface Start {
  readonly name: "mesos-master" | "mesos-agent";
  readonly flags: readonly string[];
  readonly port: number;
  readonly folder: string;
  readonly options: DaemonOptions;
}

interface Begun {
  readonly child: ChildProcess;
  /** Resolves to its exit code. */
  readonly exited: Promise<number | null>;
}

function begin({ name, flags, port, folder, options }: Start): Begun {
  const { profile, heap = false, log, environment } = options;
  const kind = heap ? "heap" : "cpu";
  const args = [
    ...(profile === undefined ? [] : [`--${kind}-prof`, `--${kind}-prof-dir=${profile}`]),
    join(root, "bin", name),
    "--ip=127.0.0.1",
    `--port=${port}`,
    ...(flags.some((flag) => flag.startsWith("--work_dir=")) ? [] : [`--work_dir=${folder}`]),
    ...(flags.some((flag) => flag.startsWith("--logging_level=")) ? [] : ["--logging_level=WARNING"]),
    ...(name === "mesos-agent"
      ? [`--runtime_dir=${join(folder, "run")}`, `--fetcher_cache_dir=${join(folder, "cache")}`]
      : []),
    ...(name === "mesos-master" && !flags.some((flag) => flag.startsWith("--grpc_port="))
      ? ["--grpc_port=0"]
      : []),
    ...flags,
  ];
  const output = log === undefined ? "inherit" : openSync(log, "a");
  // A master keeps two connections to each agent: ask for more descriptors than the usual limit where that is allowed.
  const child = spawn(
    "sh",
    ["-c", 'ulimit -n 65536 2>/dev/null; exec "$@"', "sh", process.execPath, ...args],
    {
      stdio: ["ignore", output, output],
      env: { ...process.env, ...environment },
    },
  );
  if (typeof output === "number") closeSync(output);
  return { child, exited: new Promise((resolve) => child.once("exit", resolve)) };
}

async function run(start: Start): Promise<Daemon> {
  const { name, port, folder } = start;
  const { child, exited } = begin(start);
  await healthy(port, child);
  const status = () => readFileSync(`/proc/${child.pid}/status`, "utf8");
  const field = (key: string) =>
    Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status())?.[1] ?? 0) / 1024;
  return {
    process: child,
    port,
    memory: () => ({ now: field("VmRSS"), peak: field("VmHWM") }),
    cpu: () => {
      const stat = readFileSync(`/proc/${child.pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    stop: async () => {
      child.kill("SIGTERM");
      const ended = await endsWithin(exited, STOP_LIMIT);
      if (!ended) child.kill("SIGKILL");
      await exited;
      await endContainers(join(folder, "run"));
      // What has just been killed may still write.
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
      if (!ended) throw new Error(`${name} did not end within ${STOP_LIMIT} ms of SIGTERM`);
    },
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
    restart: () => run(start),
    runToEnd: async () => {
      const again = begin(start);
      const ended = await endsWithin(again.exited, END_LIMIT);
      if (!ended) again.child.kill("SIGKILL");
      const code = await again.exited;
      if (!ended) throw new Error(`${name} did not end by itself within ${END_LIMIT} ms`);
      return code;
    },
  };
}

/** Milliseconds. Executors may take their grace period. */
const STOP_LIMIT = 30_000;

/** Milliseconds. */
const END_LIMIT = 60_000;

async function endsWithin(exited: Promise<unknown>, limit: number): Promise<boolean> {
  const over = new AbortController();
  const late = sleep(limit, false, { signal: over.signal }).catch(() => false);
  const ended = await Promise.race([exited.then(() => true), late]);
  over.abort();
  return ended;
}

async function healthy(port: number, child: ChildProcess): Promise<void> {
  // A minute: many may be starting on a small machine.
  for (let attempt = 0; attempt < 1200; attempt++) {
    if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}`);
    const ok = await fetch(`http://127.0.0.1:${port}/health`).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  // Nobody else knows of it, and its files are about to be removed.
  child.kill("SIGKILL");
  throw new Error(`no answer on port ${port}`);
}

let ports = process.pid;

/**
 * A port of the loopback address on which nobody listens. It is below those that the kernel gives to outgoing connections, or one of them
 * could take it before its daemon listens, or while that is dead; and no other test process has been given it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + ((ports++ * 7) % 20_000);
    // A name that only one process can have, which is no file; it is kept until this one ends.
    const own = await listening(`\0tepui-test-port-${port}`);
    if (own === undefined) continue;
    own.unref();
    const free = await listening({ port, host: "127.0.0.1" });
    if (free === undefined) continue;
    await new Promise((resolve) => free.close(resolve));
    return port;
  }
}

/** Undefined where somebody else listens. */
function listening(where: string | ListenOptions): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(where, () => resolve(server));
  });
}
