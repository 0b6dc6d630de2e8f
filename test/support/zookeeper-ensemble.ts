/** A real ZooKeeper ensemble on loopback, out of Debian's package, for system tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "mocha";
import { freePort } from "./daemons.js";
import { findProgram, requirePart, requireThat } from "./require-part.js";

const CLASSES = "/usr/share/java/zookeeper.jar";

export interface EnsembleNode {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly address: string;
  readonly running: boolean;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT: silent, with its connections open. */
  freeze(): void;
  thaw(): void;
  /** After `kill`, with the same files. */
  start(): void;
}

export interface Ensemble {
  readonly nodes: readonly EnsembleNode[];
  /** `host:port,host:port` */
  readonly servers: string;
  /** Resolves when more than half of the servers serve. */
  ready(): Promise<void>;
  /** Which of the running servers leads; undefined: none. */
  leader(): Promise<EnsembleNode | undefined>;
  stop(): Promise<void>;
}

/** Skips the test (and fails in CI) where there is no ZooKeeper. */
export function requireZooKeeper(test: Context): void {
  requirePart(test, "java", "default-jre-headless");
  requireThat(test, existsSync(CLASSES), `${CLASSES} is missing: apt-get install zookeeper`);
}

/** Starts `count` servers that know each other, with ticks of 500 ms and sessions from 1 s on, and waits until they serve. */
export async function startEnsemble(count = 3): Promise<Ensemble> {
  const folder = mkdtempSync(join(tmpdir(), "tepui-zookeeper-"));
  const ports = await Promise.all(Array.from({ length: 3 * count }, freePort));
  const peers = Array.from(
    { length: count },
    (_, i) => `server.${i + 1}=127.0.0.1:${ports[count + i]}:${ports[2 * count + i]}`,
  );
  const nodes = Array.from(
    { length: count },
    (_, i) => new Node({ folder, id: i + 1, port: ports[i]!, peers }),
  );
  const ensemble: Ensemble = {
    nodes,
    servers: nodes.map(({ address }) => address).join(","),
    ready: () => ready(nodes),
    leader: async () => {
      for (const node of nodes) {
        if (node.running && /^Mode: (leader|standalone)$/m.test(await status(node.port))) return node;
      }
      return undefined;
    },
    stop: async () => {
      await Promise.all(nodes.map((node) => node.kill()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  for (const node of nodes) node.start();
  try {
    await ready(nodes);
  } catch (error) {
    const logs = nodes.map((node) => node.log()).join("\n");
    await ensemble.stop();
    throw new Error(`ZooKeeper does not start:\n${logs}`, { cause: error });
  }
  return ensemble;
}

async function ready(nodes: readonly Node[]): Promise<void> {
  const end = performance.now() + 40_000;
  for (;;) {
    const states = await Promise.all(nodes.filter(({ running }) => running).map(({ port }) => status(port)));
    const serving = states.filter((state) => /^Mode: (leader|follower|standalone)$/m.test(state)).length;
    if (serving > nodes.length / 2) return;
    if (performance.now() > end) throw new Error(`${serving} of ${nodes.length} servers serve`);
    await sleep(50);
  }
}

/** What the server says of itself; empty: nothing. */
function status(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.setTimeout(500, () => socket.destroy());
    socket.on("data", (bytes) => {
      text += bytes;
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
    socket.end("srvr");
  });
}

class Node implements EnsembleNode {
  readonly port: number;
  private child: ChildProcess | undefined;
  private readonly home: string;

  constructor(options: { folder: string; id: number; port: number; peers: readonly string[] }) {
    const { folder, id, port, peers } = options;
    this.port = port;
    this.home = join(folder, String(id));
    mkdirSync(this.home);
    writeFileSync(join(this.home, "myid"), String(id));
    writeFileSync(
      join(this.home, "log4j.properties"),
      "log4j.rootLogger=WARN, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\nlog4j.appender.out.layout=org.apache.log4j.SimpleLayout\n",
    );
    writeFileSync(
      join(this.home, "zoo.cfg"),
      [
        "tickTime=500",
        "initLimit=10",
        "syncLimit=4",
        "minSessionTimeout=1000",
        "maxSessionTimeout=60000",
        "admin.enableServer=false",
        "4lw.commands.whitelist=srvr",
        "maxClientCnxns=0",
        "clientPortAddress=127.0.0.1",
        `clientPort=${port}`,
        `dataDir=${this.home}`,
        ...(peers.length > 1 ? peers : []),
        "",
      ].join("\n"),
    );
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get running(): boolean {
    return this.child !== undefined;
  }

  start(): void {
    const command = [
      "-Xmx128m",
      "-XX:+UseSerialGC",
      "-XX:TieredStopAtLevel=1",
      "-cp",
      `${this.home}:${CLASSES}`,
    ];
    const main = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
    // Its log goes to a file: a pipe would end with this process before the server does.
    const log = `exec "$@" >>"${join(this.home, "log")}" 2>&1`;
    // A test run that crashes takes its servers with it.
    const bound = findProgram("setpriv") === undefined ? [] : ["setpriv", "--pdeathsig", "KILL"];
    const java = ["java", ...command, main, join(this.home, "zoo.cfg")];
    this.child = spawn("sh", ["-c", log, "sh", ...bound, ...java], { stdio: "ignore" });
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
