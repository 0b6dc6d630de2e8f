/** A real etcd cluster on loopback, out of Debian's package, for system tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { freePort } from "./daemons.js";
import { eventually } from "./eventually.js";
import { findProgram, requirePart } from "./require-part.js";

export interface EtcdNode {
  readonly port: number;
  readonly running: boolean;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT: silent, with its connections open. */
  freeze(): void;
  thaw(): void;
  /** After `kill`, with the same files. */
  start(): void;
}

export interface EtcdCluster {
  readonly nodes: readonly EtcdNode[];
  /** `host:port,host:port` */
  readonly servers: string;
  /** Resolves when every running server answers for the majority. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

/** Skips the test (and fails in CI) where there is no etcd. */
export function requireEtcd(test: Context): void {
  requirePart(test, "etcd", "etcd-server");
}

export interface EtcdTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Starts `count` servers that know each other, and waits until they serve. With `tls` clients need TLS and a certificate. */
export async function startEtcd(count = 3, tls?: EtcdTls): Promise<EtcdCluster> {
  const folder = mkdtempSync(join(tmpdir(), "tepui-etcd-"));
  const ports = await Promise.all(Array.from({ length: 2 * count }, freePort));
  const peers = Array.from({ length: count }, (_, i) => `n${i}=http://127.0.0.1:${ports[count + i]}`);
  const nodes = peers.map(
    (_, i) => new Node({ folder, index: i, port: ports[i]!, peer: ports[count + i]!, peers, tls }),
  );
  const cluster: EtcdCluster = {
    nodes,
    servers: nodes.map(({ port }) => `127.0.0.1:${port}`).join(","),
    ready: async () => {
      for (const node of nodes.filter(({ running }) => running))
        await eventually(() => node.serves(), 40_000);
    },
    stop: async () => {
      await Promise.all(nodes.map((node) => node.kill()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  for (const node of nodes) node.start();
  try {
    await cluster.ready();
  } catch (error) {
    const logs = nodes.map((node) => node.log()).join("\n");
    await cluster.stop();
    throw new Error(`etcd does not start:\n${logs.slice(-4000)}`, { cause: error });
  }
  return cluster;
}

class Node implements EtcdNode {
  readonly port: number;
  private child: ChildProcess | undefined;
  private readonly home: string;
  private readonly flags: readonly string[];
  private readonly secure: boolean;

  constructor(options: {
    folder: string;
    index: number;
    port: number;
    peer: number;
    peers: readonly string[];
    tls: EtcdTls | undefined;
  }) {
    const { folder, index, port, peer, peers, tls } = options;
    this.port = port;
    this.secure = tls !== undefined;
    this.home = join(folder, String(index));
    mkdirSync(this.home);
    const url = `${this.secure ? "https" : "http"}://127.0.0.1:${port}`;
    const own = `http://127.0.0.1:${peer}`;
    this.flags = [
      `--name=n${index}`,
      `--data-dir=${join(this.home, "data")}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${own}`,
      `--initial-advertise-peer-urls=${own}`,
      `--initial-cluster=${peers.join(",")}`,
      "--heartbeat-interval=50",
      "--election-timeout=500",
      "--log-level=error",
      ...(tls === undefined
        ? []
        : [
            `--cert-file=${tls.cert}`,
            `--key-file=${tls.key}`,
            `--trusted-ca-file=${tls.ca}`,
            "--client-cert-auth",
          ]),
    ];
  }

  get running(): boolean {
    return this.child !== undefined;
  }

  start(): void {
    const log = openSync(join(this.home, "log"), "a");
    // A test run that crashes takes its servers with it.
    const bound = findProgram("setpriv") === undefined ? [] : ["setpriv", "--pdeathsig", "KILL"];
    const [program, ...args] = [...bound, "etcd", ...this.flags];
    this.child = spawn(program!, args, { stdio: ["ignore", log, log], cwd: this.home });
  }

  /** Only who has a certificate can ask a server with TLS; that it listens is then enough. */
  async serves(): Promise<true | undefined> {
    if (this.secure) return this.log().includes("serving client requests") || this.listens();
    const answer = await fetch(`http://127.0.0.1:${this.port}/health`, { signal: AbortSignal.timeout(1000) });
    return (await answer.text()).includes('"true"') || undefined;
  }

  private async listens(): Promise<true | undefined> {
    const { connect } = await import("node:net");
    return new Promise((resolve) => {
      const socket = connect(this.port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(undefined));
      socket.once("connect", () => socket.destroy());
    });
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await exited;
  }

  freeze(): void {
    this.child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.child?.kill("SIGCONT");
  }

  log(): string {
    const path = join(this.home, "log");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }
}
