/** A real etcd cluster on loopback, out of Debian's package, for system tests. */
import { mkdirSync, mkdtempSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { freePort } from "./daemons.js";
import { eventually } from "./eventually.js";
import { requirePart } from "./require-part.js";
import { ServerProcess, startServers, type TestServers } from "./test-servers.js";

/** `ready` means that every running server answers for the majority. */
export type EtcdCluster = TestServers;

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
    (_, i) => new EtcdServer({ folder, index: i, port: ports[i]!, peer: ports[count + i]!, peers, tls }),
  );
  const ready = async (): Promise<void> => {
    for (const node of nodes.filter(({ running }) => running)) await eventually(() => node.serves(), 40_000);
  };
  return startServers({ engine: "etcd", folder, nodes, ready });
}

interface EtcdServerOptions {
  readonly folder: string;
  readonly index: number;
  readonly port: number;
  readonly peer: number;
  readonly peers: readonly string[];
  readonly tls: EtcdTls | undefined;
}

class EtcdServer extends ServerProcess {
  private readonly secure: boolean;

  constructor(options: EtcdServerOptions) {
    const home = join(options.folder, String(options.index));
    mkdirSync(home);
    super({ port: options.port, home, command: ["etcd", ...flagsOf(options, home)] });
    this.secure = options.tls !== undefined;
  }

  /** Only who has a certificate can ask a server with TLS; that it listens is then enough. */
  async serves(): Promise<true | undefined> {
    if (this.secure) return this.log().includes("serving client requests") || listens(this.port);
    const answer = await fetch(`http://${this.address}/health`, { signal: AbortSignal.timeout(1000) });
    return (await answer.text()).includes('"true"') || undefined;
  }
}

function flagsOf({ index, port, peer, peers, tls }: EtcdServerOptions, home: string): string[] {
  const url = `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
  const own = `http://127.0.0.1:${peer}`;
  const secure =
    tls === undefined
      ? []
      : [
          `--cert-file=${tls.cert}`,
          `--key-file=${tls.key}`,
          `--trusted-ca-file=${tls.ca}`,
          "--client-cert-auth",
        ];
  return [
    `--name=n${index}`,
    `--data-dir=${join(home, "data")}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${own}`,
    `--initial-advertise-peer-urls=${own}`,
    `--initial-cluster=${peers.join(",")}`,
    "--heartbeat-interval=50",
    "--election-timeout=500",
    "--log-level=error",
    ...secure,
  ];
}

function listens(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(undefined));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
