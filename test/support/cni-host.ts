import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "mocha";
import { getJson, until } from "./cluster.js";
import type { Daemon } from "./daemons.js";
import { eventually } from "./eventually.js";
import { lockHost } from "./host-lock.js";

export const PLUGINS = "/usr/lib/cni";

/** A directory for one test file's networks: configurations, leases, bridges of its own. */
export class CniHost {
  private readonly bridges = new Set<string>();
  private readonly subnets = new Set<string>();
  private readonly processes = new Set<ChildProcess>();

  private constructor(
    readonly directory: string,
    private readonly unlock: () => void,
  ) {}

  /** Waits for other tests that change the host's packet filter, in no time of the hook that calls it. */
  static async open(test: Context): Promise<CniHost> {
    const unlock = await lockHost(test, "packet-filter");
    const host = new CniHost(await mkdtemp(join(tmpdir(), "tepui-cni-")), unlock);
    await mkdir(host.configs);
    await mkdir(host.leases);
    return host;
  }

  get configs(): string {
    return join(this.directory, "configs");
  }

  get leases(): string {
    return join(this.directory, "leases");
  }

  get root(): string {
    return join(this.directory, "state");
  }

  /** Not to clash with others' on this host. Names of interfaces have at most 15 characters. */
  bridge(letter: string): string {
    const name = `tp${process.pid}${letter}`;
    this.bridges.add(name);
    return name;
  }

  /** The first three bytes of a subnet of its own. */
  subnet(letter: string): string {
    const index = (process.pid * 8 + (letter.charCodeAt(0) % 8)) % (96 * 256);
    const subnet = `10.${128 + Math.floor(index / 256)}.${index % 256}`;
    this.subnets.add(subnet);
    return subnet;
  }

  /** A plugin's configuration: a bridge with addresses from `subnet`. */
  bridgePlugin(letter: string, more: object = {}): object {
    return {
      type: "bridge",
      bridge: this.bridge(letter),
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: {
        type: "host-local",
        dataDir: this.leases,
        ranges: [[{ subnet: `${this.subnet(letter)}.0/24` }]],
        routes: letter === "a" ? [{ dst: "0.0.0.0/0" }] : [],
      },
      ...more,
    };
  }

  async configure(file: string, content: object | string): Promise<void> {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    await writeFile(join(this.configs, file), text);
  }

  /** A process in namespaces of its own, as a launcher makes it, that answers HTTP on the port with its host name. */
  async server(port = 8080): Promise<number> {
    const script = `require("http").createServer((q, r) => r.end(require("os").hostname())).listen(${port}, "0.0.0.0")`;
    const child = spawn("unshare", ["--net", "--uts", "--mount", process.execPath, "-e", script], {
      stdio: "ignore",
    });
    this.processes.add(child);
    const ours = statSync("/proc/self/ns/net").ino;
    await eventually(() => {
      const listens = execFileSync("cat", [`/proc/${child.pid}/net/tcp`], { encoding: "utf8" });
      const port16 = port.toString(16).toUpperCase().padStart(4, "0");
      return statSync(`/proc/${child.pid}/ns/net`).ino !== ours && listens.includes(`:${port16} `)
        ? true
        : undefined;
    });
    return child.pid!;
  }

  async end(pid: number): Promise<void> {
    const child = [...this.processes].find((one) => one.pid === pid);
    if (child === undefined) return;
    this.processes.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  /** What containers have on this host: their ends of bridges, leases, rules, mounts, and files. */
  async traces(): Promise<string[]> {
    const found: string[] = [];
    for (const bridge of this.bridges) {
      if (!existsSync(`/sys/class/net/${bridge}`)) continue;
      found.push(...(await readdir(`/sys/class/net/${bridge}/brif`)).map((name) => `interface ${name}`));
    }
    for (const name of await readdir(this.leases, { recursive: true })) {
      if (/\d+\.\d+\.\d+\.\d+$/.test(name) && !name.includes("last_reserved")) found.push(`lease ${name}`);
    }
    const rules = execFileSync("iptables-save", { encoding: "utf8" }).split("\n");
    // Each names an address, or belongs to one that does.
    found.push(...rules.filter((rule) => [...this.subnets].some((subnet) => rule.includes(`${subnet}.`))));
    const mounts = execFileSync("cat", ["/proc/self/mountinfo"], { encoding: "utf8" }).split("\n");
    found.push(...mounts.filter((line) => line.includes(`${this.root}/`)));
    if (existsSync(this.root)) found.push(...(await readdir(this.root)).map((name) => `file ${name}`));
    return found;
  }

  async close(): Promise<void> {
    try {
      await this.clear();
    } finally {
      this.unlock();
    }
  }

  private async clear(): Promise<void> {
    for (const { pid } of this.processes) await this.end(pid!);
    for (const bridge of this.bridges) {
      if (existsSync(`/sys/class/net/${bridge}`)) execFileSync("ip", ["link", "del", bridge]);
    }
    dropChains();
    for (const line of execFileSync("cat", ["/proc/self/mountinfo"], { encoding: "utf8" })
      .split("\n")
      .reverse()) {
      const target = line.split(" ")[4];
      if (target?.startsWith(this.directory)) execFileSync("umount", [target]);
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** An agent leaves the directory of its networks mounted, for its next run. */
export async function unmountNetworks(agent: Daemon): Promise<void> {
  const { flags } = (await getJson(agent, "/flags")) as { flags: { runtime_dir: string } };
  const mounts = (): string[] =>
    readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .filter((path) => path.startsWith(`${flags.runtime_dir}/`));
  // Those of containers go with them.
  await until(() => mounts().every((path) => !path.endsWith("/ns")));
  // The agent may just have a file of it open.
  await eventually(() => {
    for (const path of mounts().reverse()) execFileSync("umount", [path], { stdio: "ignore" });
    return true;
  });
}

/** The plugins leave their empty chains, by design, for the next container. */
function dropChains(): void {
  for (const table of ["nat", "filter"]) {
    const rules = execFileSync("iptables", ["-w", "-t", table, "-S"], { encoding: "utf8" }).split("\n");
    const jumps = rules.filter((rule) => / -j CNI-/.test(rule) && !rule.startsWith("-A CNI-"));
    for (const rule of jumps) shell(`iptables -w -t ${table} ${rule.replace(/^-A/, "-D")}`);
    const chains = rules.flatMap((rule) => /^-N (CNI-\S+)/.exec(rule)?.[1] ?? []);
    for (const chain of chains) shell(`iptables -w -t ${table} -F ${chain}`);
    for (const chain of chains) shell(`iptables -w -t ${table} -X ${chain}`);
  }
}

const shell = (command: string): void => void execFileSync("sh", ["-c", command]);
