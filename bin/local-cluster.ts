import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ETC_VARIABLE } from "./etc.js";

export interface LocalClusterOptions {
  readonly ip: string;
  readonly masterPort: number;
  /** One port per agent. */
  readonly agentPorts: readonly number[];
  /** Port of the gRPC scheduler API. */
  readonly grpcPort: number;
  /** Root of all state; absent: a temporary directory that `stop` removes. */
  readonly workDir?: string | undefined;
  readonly masterFlags?: readonly string[];
  readonly agentFlags?: readonly string[];
}

interface Member {
  readonly label: string;
  readonly child: ChildProcess;
}

/** Variables that make a daemon join some cluster or listen at some address. */
const ELSEWHERE = /^(MESOS_(ZK|MASTER|QUORUM|REGISTRY|ADVERTISE_\w+|IP_DISCOVERY_COMMAND)|LIBPROCESS_\w+)$/;

/** Milliseconds that a daemon may take to answer, and to exit. */
const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 15_000;

/** One master and its agents, each in a process of its own on this machine. */
export class LocalCluster {
  private readonly members: Member[] = [];
  private stopping: Promise<void> | undefined;
  /** Resolves with a sentence when a daemon exits by itself. */
  readonly failed: Promise<string>;
  private fail!: (reason: string) => void;

  private constructor(
    private readonly options: LocalClusterOptions,
    readonly workDir: string,
    private readonly temporary: boolean,
  ) {
    this.failed = new Promise((resolve) => {
      this.fail = resolve;
    });
  }

  /** Resolves when every agent is registered. Rejects with an error for the user; nothing is left running then. */
  static async start(options: LocalClusterOptions): Promise<LocalCluster> {
    const temporary = options.workDir === undefined;
    const workDir = options.workDir ?? (await mkdtemp(join(tmpdir(), "tepui-")));
    const cluster = new LocalCluster(options, workDir, temporary);
    try {
      await cluster.checkPorts();
      await cluster.startMaster();
      for (const [index, port] of options.agentPorts.entries()) await cluster.startAgent(index, port);
      await cluster.until(async () => (await cluster.registered()) === options.agentPorts.length);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get master(): string {
    return `${this.options.ip}:${this.options.masterPort}`;
  }

  get grpc(): string {
    return `${this.options.ip}:${this.options.grpcPort}`;
  }

  /** Asks every daemon to exit, agents first, and kills those that do not in time. */
  stop(): Promise<void> {
    this.stopping ??= this.takeDown();
    return this.stopping;
  }

  private async takeDown(): Promise<void> {
    for (const { child } of [...this.members].reverse()) await leave(child);
    if (this.temporary) await rm(this.workDir, { recursive: true, force: true });
  }

  /** Otherwise somebody else's server on the port would answer in place of the daemon that cannot start. */
  private async checkPorts(): Promise<void> {
    const { ip, masterPort, grpcPort, agentPorts } = this.options;
    const taken: number[] = [];
    for (const port of [masterPort, grpcPort, ...agentPorts])
      if (port !== 0 && !(await isFree(ip, port))) taken.push(port);
    if (taken.length === 0) return;
    const list = taken.map((port) => `${ip}:${port}`).join(", ");
    throw new Error(`${list}: taken by another process; end it, or choose other ports (see --help)`);
  }

  private async startMaster(): Promise<void> {
    const { ip, masterPort, grpcPort, masterFlags = [] } = this.options;
    const work = await this.folder("master");
    const flags = [`--port=${masterPort}`, `--work_dir=${work}`, `--grpc_port=${grpcPort}`, ...masterFlags];
    await this.startDaemon("master", [`--ip=${ip}`, ...flags], masterPort);
  }

  private async startAgent(index: number, port: number): Promise<void> {
    const { ip, agentFlags = [] } = this.options;
    const name = index === 0 ? "agent" : `agent ${index + 1}`;
    const work = await this.folder(`agents/${index}`);
    const flags = [`--port=${port}`, `--work_dir=${work}/work`, `--runtime_dir=${work}/run`];
    const own = [`--ip=${ip}`, `--master=${this.master}`, `--fetcher_cache_dir=${work}/fetch`];
    await this.startDaemon(name, [...own, ...flags, ...agentFlags], port);
  }

  private async startDaemon(label: string, flags: readonly string[], port: number): Promise<void> {
    const kind = label.startsWith("agent") ? "agent" : "master";
    const tepui = fileURLToPath(new URL("../../bin/tepui", import.meta.url));
    // In a process group of its own, so that Ctrl-C only reaches this process, which then stops the daemons in order. Over the channel the
    // daemons learn if this process ends in any other way.
    const child = spawn(process.execPath, [tepui, kind, ...flags], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      detached: true,
      env: this.environment(),
    });
    this.members.push({ label, child });
    child.once("exit", (code, signal) => this.fail(`the ${label} ended with ${code ?? signal}`));
    child.once("error", (error) => this.fail(`the ${label} could not be started: ${error.message}`));
    await this.until(() => healthy(`http://${this.options.ip}:${port}/health`));
  }

  /** Without the host's configuration: a trial cluster must not join another one. */
  private environment(): NodeJS.ProcessEnv {
    const entries = Object.entries(process.env).filter(([name]) => !ELSEWHERE.test(name));
    return { ...Object.fromEntries(entries), [ETC_VARIABLE]: join(this.workDir, "etc") };
  }

  private async registered(): Promise<number> {
    const response = await fetch(`http://${this.master}/state-summary`);
    const summary = (await response.json()) as { slaves: readonly unknown[] };
    return summary.slaves.length;
  }

  private async folder(name: string): Promise<string> {
    const path = join(this.workDir, name);
    await mkdir(path, { recursive: true });
    return path;
  }

  private async until(condition: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + START_LIMIT_MS;
    let reason: string | undefined;
    void this.failed.then((text) => {
      reason = text;
    });
    while (performance.now() < end) {
      if (await condition().catch(() => false)) return;
      if (reason !== undefined) throw new Error(reason);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the cluster was not up after ${START_LIMIT_MS / 1000} s`);
  }
}

function isFree(ip: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // Any other problem is reported by the daemon itself.
    server.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code !== "EADDRINUSE"));
    server.listen(port, ip, () => server.close(() => resolve(true)));
  });
}

async function healthy(url: string): Promise<boolean> {
  return (await fetch(url)).ok;
}

async function leave(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
  await exited;
  clearTimeout(late);
}
