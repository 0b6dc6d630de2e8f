import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { CniIsolator } from "../../../plugins/cni-isolator/cni-isolator.js";
import { readDefaultDns } from "../../../plugins/cni-isolator/default-dns.js";
import { type NetworkInfo, NetworkInfo_Protocol } from "../../../proto/gen/mesos/v1/mesos.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { CniHost, PLUGINS } from "../../support/cni-host.js";
import { eventually } from "../../support/eventually.js";
import { requirePart, requireThat } from "../../support/require-part.js";
import { cniIsolator, containerRequest, networkInfo } from "./support.js";

const AGENT = new URL("./agent.js", import.meta.url).pathname;

const get = async (address: string, port: number): Promise<string> =>
  (await fetch(`http://${address}:${port}/`, { signal: AbortSignal.timeout(8000) })).text();

async function rejection(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => expect.fail("it went well"),
    (error: Error) => error.message,
  );
}

describe("network/cni with Debian's plugins", function () {
  this.timeout(60_000);
  let host: CniHost;
  let isolator: CniIsolator;
  let logger: MemoryLogger;
  let agents: ChildProcess[];
  let count = 0;

  before(async function () {
    requireThat(this, process.geteuid?.() === 0, "networks need root");
    for (const plugin of ["bridge", "host-local", "portmap", "firewall"]) {
      requirePart(this, plugin, "containernetworking-plugins");
    }
    requirePart(this, "iptables", "iptables");
  });

  beforeEach(async function () {
    agents = [];
    host = await CniHost.open(this);
    logger = new MemoryLogger();
    isolator = await cniIsolator({ root: host.root, configs: host.configs, logger });
    await host.configure("a.conf", { cniVersion: "0.3.1", name: "alpha", ...host.bridgePlugin("a") });
  });

  afterEach(async () => {
    for (const agent of agents) agent.kill("SIGKILL");
    isolator?.stop();
    await host?.close();
  });

  interface Joined {
    readonly id: string;
    readonly pid: number;
    readonly addresses: string[];
  }

  /** Joins a new process to the networks; its addresses as its status tells them. */
  async function attach(infos: readonly NetworkInfo[], on = isolator): Promise<Joined> {
    const id = `container-${process.pid}-${count++}`;
    await on.prepare(containerRequest(id, infos));
    const pid = await host.server();
    await on.isolate(id, pid);
    const { network_infos: networks } = await on.status(id);
    return {
      id,
      pid,
      addresses: (networks ?? []).flatMap(({ ip_addresses: ips }) => ips.map(({ ip_address: ip }) => ip!)),
    };
  }

  /** As the containerizer does: first the processes end. */
  async function leave({ id, pid }: { id: string; pid: number }, on = isolator): Promise<void> {
    await host.end(pid);
    await on.cleanup(id);
  }

  const inside = (pid: number, ...command: string[]): string =>
    execFileSync("nsenter", [`--net=/proc/${pid}/ns/net`, ...command], { encoding: "utf8" });

  it("makes tasks reachable at the addresses in their status, two on one port, and leaves nothing", async () => {
    const first = await attach([networkInfo("alpha")]);
    const second = await attach([networkInfo("alpha")]);
    expect(first.addresses).to.have.length(1);
    expect(first.addresses[0]).to.match(new RegExp(`^${host.subnet("a").replaceAll(".", "\\.")}\\.\\d+$`));
    expect(first.addresses[0]).not.to.equal(second.addresses[0]);
    for (const { addresses } of [first, second]) expect(await get(addresses[0]!, 8080)).not.to.equal("");
    expect(inside(first.pid, "ip", "-o", "link", "show", "lo")).to.include("UP");
    expect(await host.traces()).not.to.deep.equal([]);
    await leave(first);
    expect(await get(second.addresses[0]!, 8080)).not.to.equal("");
    await leave(second);
    expect(await host.traces()).to.deep.equal([]);
  });

  it("tells the status with what the framework said of the network", async () => {
    const labels = { labels: [{ key: "tier", value: "web" }] };
    const { id, pid, addresses } = await attach([networkInfo("alpha", { labels, groups: ["g"] })]);
    const { network_infos: infos } = await isolator.status(id);
    const ip = { protocol: NetworkInfo_Protocol.IPv4, ip_address: addresses[0]! };
    expect(infos).to.deep.equal([networkInfo("alpha", { labels, groups: ["g"], ip_addresses: [ip] })]);
    await leave({ id, pid });
    expect(await isolator.status(id)).to.deep.equal({});
  });

  it("joins several networks in their order, and measures what they carry", async () => {
    await host.configure("b.json", { cniVersion: "0.4.0", name: "beta", ...host.bridgePlugin("b") });
    const joined = await attach([networkInfo("beta"), networkInfo("alpha")]);
    const [beta, alpha] = joined.addresses;
    expect(beta).to.match(new RegExp(`^${host.subnet("b")}`));
    expect(alpha).to.match(new RegExp(`^${host.subnet("a")}`));
    expect(inside(joined.pid, "ip", "-o", "-4", "addr", "show", "eth0")).to.include(beta);
    expect(inside(joined.pid, "ip", "-o", "-4", "addr", "show", "eth1")).to.include(alpha);
    await get(beta!, 8080);
    const usage = await isolator.usage(joined.id, joined.pid);
    expect(Number(usage.net_rx_bytes)).to.be.greaterThan(100);
    expect(Number(usage.net_tx_packets)).to.be.greaterThan(3);
    expect(Number(usage.net_snmp_statistics?.tcp_stats?.PassiveOpens)).to.equal(1);
    await leave(joined);
    expect(await host.traces()).to.deep.equal([]);
  });

  for (const cniVersion of ["0.3.0", "0.3.1", "0.4.0", "1.0.0"]) {
    it(`runs a chain with port mappings and firewall of version ${cniVersion}`, async () => {
      const plugins = [
        host.bridgePlugin("a"),
        { type: "portmap", capabilities: { portMappings: true } },
        // It came with 0.4.0.
        ...(cniVersion >= "0.4.0" ? [{ type: "firewall" }] : []),
      ];
      await host.configure("chain.conflist", { cniVersion, name: "chain", plugins });
      const port = 20_000 + (process.pid % 10_000);
      const mapping = { host_port: port, container_port: 8080, protocol: "tcp" };
      const joined = await attach([networkInfo("chain", { port_mappings: [mapping] })]);
      const outside = Object.values(networkInterfaces())
        .flat()
        .find((one) => one?.family === "IPv4" && !one.internal && !one.address.startsWith(host.subnet("a")));
      expect(await get("127.0.0.1", port)).not.to.equal("");
      if (outside !== undefined) expect(await get(outside.address, port)).not.to.equal("");
      const { network_infos: infos } = await isolator.status(joined.id);
      expect(infos?.[0]?.port_mappings).to.deep.equal([mapping]);
      await leave(joined);
      expect(await host.traces()).to.deep.equal([]);
    });
  }

  it("understands configurations of mesos-cni-port-mapper, of the oldest version", async () => {
    await host.configure("mapped", {
      name: "mapped",
      type: "mesos-cni-port-mapper",
      excludeDevices: [host.bridge("a")],
      chain: "MESOS-TEST",
      delegate: host.bridgePlugin("a"),
    });
    const port = 20_000 + (process.pid % 10_000);
    const joined = await attach([
      networkInfo("mapped", {
        port_mappings: [{ host_port: port, container_port: 8080, protocol: undefined }],
      }),
    ]);
    expect(await get("127.0.0.1", port)).not.to.equal("");
    await leave(joined);
    expect(await host.traces()).to.deep.equal([]);
  });

  it("asks for the address that the framework wants", async () => {
    const ip = `${host.subnet("a")}.77`;
    const wanted = [{ protocol: NetworkInfo_Protocol.IPv4, ip_address: ip }];
    const joined = await attach([networkInfo("alpha", { ip_addresses: wanted })]);
    expect(joined.addresses).to.deep.equal([ip]);
    const second = containerRequest("taken", [networkInfo("alpha", { ip_addresses: wanted })]);
    await isolator.prepare(second);
    const pid = await host.server();
    expect(await rejection(isolator.isolate("taken", pid))).to.include(ip);
    await leave({ id: "taken", pid });
    await leave(joined);
    expect(await host.traces()).to.deep.equal([]);
  });

  it("writes the network files with the addresses and the DNS settings", async () => {
    const dns = readDefaultDns({
      mesos: [{ network_mode: "CNI", dns: { nameservers: ["10.1.1.1"], search: ["mesos"], domain: "d" } }],
    });
    const other = await cniIsolator({ root: host.root, configs: host.configs, dns });
    const request = containerRequest("files", [networkInfo("alpha")], { hostname: "web.example" });
    const contribution = await other.prepare(request);
    expect(contribution?.hostname).to.equal("web.example");
    expect(contribution?.namespaces).to.have.members(["mount", "network", "uts"]);
    const source = (name: string): string =>
      contribution!.mounts!.find(({ source }) => source.endsWith(`/${name}`))!.source;
    expect(await readFile(source("resolv.conf"), "utf8")).to.equal(
      await readFile("/etc/resolv.conf", "utf8"),
    );
    const before = statSync(source("hosts")).ino;
    const pid = await host.server();
    await other.isolate("files", pid);
    const ip = (await other.status("files")).network_infos![0]!.ip_addresses[0]!.ip_address;
    expect(await readFile(source("hosts"), "utf8")).to.include(`\n${ip} web.example\n`);
    expect(statSync(source("hosts")).ino, "what was bound must be what is written").to.equal(before);
    expect(await readFile(source("hostname"), "utf8")).to.equal("web.example\n");
    expect(await readFile(source("resolv.conf"), "utf8")).to.equal(
      "domain d\nsearch mesos\nnameserver 10.1.1.1\n",
    );
    await leave({ id: "files", pid }, other);
    expect(await host.traces()).to.deep.equal([]);
  });

  it("reads its configurations again when they change", async () => {
    expect(await rejection(isolator.prepare(containerRequest("c", [networkInfo("late")])))).to.equal(
      "Unknown CNI network 'late'; there are 'alpha'",
    );
    await host.configure("broken.conf", "{");
    await host.configure("late.conf", { cniVersion: "0.3.1", name: "late", ...host.bridgePlugin("b") });
    const joined = await attach([networkInfo("late")]);
    expect(logger.messages("error").join("\n")).to.match(/left out: it is not JSON/);
    // DEL is told what ADD was, whatever the file says by now.
    await host.configure("late.conf", { cniVersion: "0.3.1", name: "late", type: "no-such-plugin" });
    await leave(joined);
    expect(await host.traces()).to.deep.equal([]);
    expect(await rejection(isolator.prepare(containerRequest("d", [networkInfo("late")])))).to.match(
      /the CNI network 'late' needs the CNI plugin 'no-such-plugin', not found in '\/usr\/lib\/cni'/,
    );
  });

  it("takes back the containers of an earlier run, and detaches those that are gone", async () => {
    const lives = await attach([networkInfo("alpha")]);
    const gone = await attach([networkInfo("alpha")]);
    await host.end(gone.pid);
    const next = await cniIsolator({ root: host.root, configs: host.configs });
    await next.recover([{ request: containerRequest(lives.id, [networkInfo("alpha")]) }]);
    const { network_infos: infos } = await next.status(lives.id);
    expect(infos?.[0]?.ip_addresses[0]?.ip_address).to.equal(lives.addresses[0]);
    expect(await get(lives.addresses[0]!, 8080)).not.to.equal("");
    expect((await host.traces()).join()).not.to.include(gone.id);
    await leave(lives, next);
    expect(await host.traces()).to.deep.equal([]);
  });

  it("detaches where the namespace is gone, as after a reboot", async () => {
    const joined = await attach([networkInfo("alpha")]);
    await host.end(joined.pid);
    execFileSync("umount", [join(host.root, joined.id, "ns")]);
    await isolator.cleanup(joined.id);
    // The kernel takes a namespace down in its own time; and rules go with a real reboot.
    await eventually(async () => {
      const traces = (await host.traces()).filter((trace) => !trace.includes("CNI-"));
      return traces.length === 0 || undefined;
    });
  });

  describe("with a plugin that hangs or fails", () => {
    /** A plugin around the bridge: `before` and `after` are shell commands around its call. */
    async function wrapper(script: (real: string) => string): Promise<string> {
      const directory = join(host.directory, "plugins");
      await mkdir(directory, { recursive: true });
      const path = join(directory, "wrapped");
      await writeFile(path, `#!/bin/sh\n${script(`${PLUGINS}/bridge`)}\n`);
      await chmod(path, 0o755);
      await host.configure("w.conf", {
        cniVersion: "0.4.0",
        name: "wrapped",
        ...host.bridgePlugin("a"),
        type: "wrapped",
      });
      return `${directory}:${PLUGINS}`;
    }

    it("kills one that hangs, fails the task, and detaches", async () => {
      const marker = join(host.directory, "hung");
      const pluginPath = await wrapper(
        (real) =>
          `if [ $CNI_COMMAND = ADD ]; then ${real} >/dev/null; touch ${marker}; sleep 1000 & wait; fi; exec ${real}`,
      );
      const clock = new VirtualClock();
      const parts = { root: host.root, configs: host.configs, pluginPath, timeout: 1000, clock };
      const hasty = await cniIsolator(parts);
      await hasty.prepare(containerRequest("hangs", [networkInfo("wrapped")]));
      const pid = await host.server();
      const rejected = rejection(hasty.isolate("hangs", pid));
      await eventually(() => existsSync(marker) || undefined);
      await clock.advance(1000);
      const message = await rejected;
      expect(message).to.match(
        /'.*\/wrapped' failed to attach container hangs to CNI network 'wrapped': it took longer than 1secs/,
      );
      await leave({ id: "hangs", pid }, hasty);
      expect(await host.traces()).to.deep.equal([]);
    });

    it("fails the task in the plugin's words, and logs what it said", async () => {
      const pluginPath = await wrapper(
        (real) =>
          `if [ $CNI_COMMAND = ADD ]; then echo oops >&2; echo '{"code": 7, "msg": "no luck", "details": "today"}'; exit 1; fi; exec ${real}`,
      );
      const other = await cniIsolator({ root: host.root, configs: host.configs, pluginPath, logger });
      await other.prepare(containerRequest("fails", [networkInfo("alpha"), networkInfo("wrapped")]));
      const pid = await host.server();
      expect(await rejection(other.isolate("fails", pid))).to.match(/: no luck: today$/);
      expect(logger.messages("warn")).to.include("a CNI plugin said at ADD: oops");
      await leave({ id: "fails", pid }, other);
      expect(await host.traces()).to.deep.equal([]);
    });

    it("tries again to detach what could not be detached", async () => {
      const blocked = join(host.directory, "blocked");
      const pluginPath = await wrapper(
        (real) => `if [ $CNI_COMMAND = DEL -a -e ${blocked} ]; then exit 3; fi; exec ${real}`,
      );
      const other = await cniIsolator({ root: host.root, configs: host.configs, pluginPath });
      const joined = await attach([networkInfo("wrapped")], other);
      await writeFile(blocked, "");
      await host.end(joined.pid);
      expect(await rejection(other.cleanup(joined.id))).to.match(/failed to detach .*: exit status 3/);
      expect(await host.traces()).not.to.deep.equal([]);
      execFileSync("rm", [blocked]);
      await eventually(async () => ((await host.traces()).length === 0 ? true : undefined), 20_000);
      other.stop();
    });

    it("gives up a network whose plugin fails at everything, after a while", async () => {
      const pluginPath = await wrapper(() => "exit 3");
      const clock = new VirtualClock();
      const parts = { root: host.root, configs: host.configs, pluginPath, clock, logger, timeout: 3_600_000 };
      const other = await cniIsolator(parts);
      await other.prepare(containerRequest("hopeless", [networkInfo("wrapped")]));
      const pid = await host.server();
      await rejection(other.isolate("hopeless", pid));
      await host.end(pid);
      await rejection(other.cleanup("hopeless"));
      expect(await host.traces()).not.to.deep.equal([]);
      await eventually(async () => {
        await clock.advance(1000);
        return (await host.traces()).length === 0 || undefined;
      }, 30_000);
      expect(logger.messages("error")).to.include("giving up a network that was never joined");
    });

    it("waits with the clean-up for the ADD that is under way", async () => {
      const begun = join(host.directory, "begun");
      const proceed = join(host.directory, "proceed");
      const pluginPath = await wrapper(
        (real) =>
          `if [ $CNI_COMMAND = ADD ]; then touch ${begun}; while [ ! -e ${proceed} ]; do sleep 0.02; done; fi; exec ${real}`,
      );
      const other = await cniIsolator({ root: host.root, configs: host.configs, pluginPath });
      await other.prepare(containerRequest("early", [networkInfo("wrapped")]));
      const pid = await host.server();
      const isolating = other.isolate("early", pid);
      await eventually(() => existsSync(begun) || undefined);
      await host.end(pid);
      const cleaned = other.cleanup("early");
      await writeFile(proceed, "");
      await Promise.allSettled([isolating, cleaned]);
      await cleaned;
      expect(await host.traces()).to.deep.equal([]);
    });

    for (const [when, script] of [
      ["before it did anything", (begun: string) => `touch ${begun}; sleep 1000; exec REAL`],
      ["after it did everything", (begun: string) => `REAL > /dev/null; touch ${begun}; sleep 1000`],
      ["while its children go on", (begun: string) => `(touch ${begun}; sleep 1000; REAL) & wait`],
    ] as const) {
      it(`leaves nothing when the agent is killed in the middle of ADD, ${when}`, async () => {
        const begun = join(host.directory, "begun");
        const pluginPath = await wrapper(
          (real) =>
            `if [ $CNI_COMMAND = ADD ]; then exec 3<&0; ${script(begun).replace("REAL", `${real} <&3`)}; else exec ${real}; fi`,
        );
        const pid = await host.server();
        const agent = spawn(
          process.execPath,
          [AGENT, host.root, host.configs, pluginPath, "killed", "wrapped", String(pid)],
          { stdio: "inherit" },
        );
        agents.push(agent);
        await eventually(() => existsSync(begun) || undefined);
        agent.kill("SIGKILL");
        await once(agent, "exit");
        await host.end(pid);
        expect(await host.traces()).not.to.deep.equal([]);
        const next = await cniIsolator({ root: host.root, configs: host.configs, pluginPath, logger });
        await next.recover([]);
        expect(await host.traces()).to.deep.equal([]);
        expect(logger.messages("warn")).to.include("ended CNI plugins of an earlier run of the agent");
        next.stop();
      });
    }
  });

  it("leaves the host's network alone when the launcher made no namespace", async () => {
    await isolator.prepare(containerRequest("host", [networkInfo("alpha")]));
    expect(await rejection(isolator.isolate("host", process.pid))).to.match(/no network namespace/);
    await isolator.cleanup("host");
    expect(await host.traces()).to.deep.equal([]);
  });
});
