/** A real ZooKeeper ensemble on loopback, out of Debian's package, for system tests. */
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "mocha";
import { freePort } from "./daemons.js";
import { requirePart, requireThat } from "./require-part.js";
import { ServerProcess, startServers, type TestServer, type TestServers } from "./test-servers.js";

const CLASSES = "/usr/share/java/zookeeper.jar";

/** `ready` means that more than half of the servers serve. */
export interface Ensemble extends TestServers {
  /** Which of the running servers leads; undefined: none. */
  leader(): Promise<TestServer | undefined>;
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
  const nodes = Array.from({ length: count }, (_, i) =>
    serverIn({ home: join(folder, String(i + 1)), id: i + 1, port: ports[i]!, peers }),
  );
  const started = await startServers({ engine: "ZooKeeper", folder, nodes, ready: () => ready(nodes) });
  return {
    ...started,
    leader: async () => {
      for (const node of nodes) {
        if (node.running && /^Mode: (leader|standalone)$/m.test(await status(node.port))) return node;
      }
      return undefined;
    },
  };
}

async function ready(nodes: readonly TestServer[]): Promise<void> {
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

interface ServerOptions {
  readonly home: string;
  readonly id: number;
  readonly port: number;
  readonly peers: readonly string[];
}

function serverIn({ home, id, port, peers }: ServerOptions): ServerProcess {
  mkdirSync(home);
  writeFileSync(join(home, "myid"), String(id));
  writeFileSync(
    join(home, "log4j.properties"),
    "log4j.rootLogger=WARN, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\nlog4j.appender.out.layout=org.apache.log4j.SimpleLayout\n",
  );
  const configuration = join(home, "zoo.cfg");
  writeFileSync(
    configuration,
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
      `dataDir=${home}`,
      ...(peers.length > 1 ? peers : []),
      "",
    ].join("\n"),
  );
  const java = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
  const main = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
  return new ServerProcess({
    port,
    home,
    command: [...java, "-cp", `${home}:${CLASSES}`, main, configuration],
  });
}
