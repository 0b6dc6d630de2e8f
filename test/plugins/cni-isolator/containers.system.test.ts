import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, rmdir, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { CniIsolator } from "../../../plugins/cni-isolator/cni-isolator.js";
import { LinuxLauncher } from "../../../plugins/launchers/linux/linux-launcher.js";
import { MesosContainerizer } from "../../../plugins/mesos-containerizer/containerizer.js";
import { SandboxLogger } from "../../../plugins/sandbox-logger/sandbox-logger.js";
import { NetworkInfo_Protocol } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { type BusyboxRootfs, busyboxRootfs } from "../../support/busybox-rootfs.js";
import { CniHost } from "../../support/cni-host.js";
import { eventually } from "../../support/eventually.js";
import { requirePart, requireThat } from "../../support/require-part.js";
import { cniIsolator, containerRequest, networkInfo } from "./support.js";

const ROOT_GROUP = `tepui-cni-${process.pid}`;

/** Answers HTTP with its host name, once it has said what it sees. */
const SERVER = `"${process.execPath}" -e 'require("http").createServer((q, r) => r.end(require("os").hostname())).listen(8080)'`;

const get = async (address: string): Promise<string> =>
  (await fetch(`http://${address}:8080/`, { signal: AbortSignal.timeout(8000) })).text();

describe("containers of the linux launcher in CNI networks", function () {
  this.timeout(60_000);
  let host: CniHost;
  let sandboxes: string;
  let isolator: CniIsolator;
  let logger: MemoryLogger;
  let launcher: LinuxLauncher;
  let containerizer: MesosContainerizer;
  let rootfs: BusyboxRootfs | undefined;
  let count = 0;

  before(function () {
    requireThat(this, process.geteuid?.() === 0, "networks need root");
    for (const plugin of ["bridge", "host-local"]) requirePart(this, plugin, "containernetworking-plugins");
  });

  /** The parts of an agent; the second time those of the next run. */
  async function open(): Promise<void> {
    isolator = await cniIsolator({ root: host.root, configs: host.configs, logger });
    launcher = new LinuxLauncher({
      hierarchy: "/sys/fs/cgroup",
      root: ROOT_GROUP,
      destroyTimeoutMs: 10_000,
      logger,
    });
    containerizer = new MesosContainerizer({
      isolators: [isolator],
      launcher,
      containerLogger: new SandboxLogger(),
      sandboxFetch: { fetch: async () => undefined },
      recordsDirectory: join(sandboxes, "records"),
      destroyErrors: new MetricsRegistry(new SystemClock()).counter("errors"),
      clock: new SystemClock(),
      logger,
    });
    await containerizer.prepareDirectories();
    await launcher.start();
  }

  async function close(): Promise<void> {
    isolator.stop();
    await launcher.stop();
  }

  beforeEach(async function () {
    logger = new MemoryLogger();
    sandboxes = await mkdtemp(join(tmpdir(), "tepui-cni-sandboxes-"));
    host = await CniHost.open(this);
    await host.configure("a.conf", {
      cniVersion: "0.3.1",
      name: "alpha",
      ...host.bridgePlugin("a", { ipMasq: false }),
    });
    await open();
  });

  afterEach(async () => {
    for (const id of containerizer.containers()) await containerizer.destroy(id);
    await close();
    await host.close();
    await rootfs?.remove();
    rootfs = undefined;
    await rm(sandboxes, { recursive: true, force: true });
    for (const group of await findGroups()) await rmdir(group);
  });

  /** The launcher's own group, empty by now, below each hierarchy. */
  async function findGroups(): Promise<string[]> {
    const found: string[] = [];
    for (const hierarchy of await readdir("/sys/fs/cgroup")) {
      const group = join("/sys/fs/cgroup", hierarchy, ROOT_GROUP);
      if (existsSync(group)) found.push(group);
    }
    return found;
  }

  async function request(
    script: string,
    more: Partial<ContainerRequest> = {},
    hostname?: string,
  ): Promise<ContainerRequest> {
    const id = `cni-${process.pid}-${count++}`;
    const directory = join(sandboxes, id);
    await mkdir(directory);
    const base = containerRequest(id, [networkInfo("alpha")], hostname === undefined ? {} : { hostname });
    return { ...base, command: { value: script, uris: [], arguments: [] }, directory, ...more };
  }

  const addressOf = async ({ containerId }: ContainerRequest): Promise<string> =>
    (await containerizer.status(containerId)).network_infos[0]!.ip_addresses[0]!.ip_address!;

  const output = (of: ContainerRequest): Promise<string> => readFile(join(of.directory, "stdout"), "utf8");

  it("are reachable at the addresses of their status, on one port, under their own names", async () => {
    const hosts = await readFile("/etc/hosts", "utf8");
    const first = await request(`cat /etc/hosts /etc/hostname; exec ${SERVER}`, {}, "web.example");
    const second = await request(`exec ${SERVER}`);
    await Promise.all([containerizer.launch(first), containerizer.launch(second)]);
    const [one, two] = [await addressOf(first), await addressOf(second)];
    expect(await eventually(() => get(one))).to.equal("web.example");
    expect(await eventually(() => get(two))).to.equal(second.containerId.value);
    expect(await output(first)).to.match(
      new RegExp(`127.0.0.1 localhost\\n[^]*${one} web.example\\nweb.example\\n$`),
    );
    expect(await readFile("/etc/hosts", "utf8")).to.equal(hosts);
    expect(Number((await containerizer.usage(first.containerId)).net_rx_packets)).to.be.greaterThan(3);

    await containerizer.destroy(first.containerId);
    const { executor_pid: pid } = await containerizer.status(second.containerId);
    const mounts = await readFile(`/proc/${pid}/mountinfo`, "utf8");
    expect(mounts, "a neighbour must not hold a namespace").not.to.include(`${first.containerId.value}/ns`);
    expect(await get(two)).to.equal(second.containerId.value);
    await containerizer.destroy(second.containerId);
    expect(await host.traces()).to.deep.equal([]);
  });

  it("see their own network files in their own root file systems, also where an image has links there", async function () {
    rootfs = await busyboxRootfs(this);
    await mkdir(join(rootfs.path, "run"));
    await symlink("../run/nowhere/resolv.conf", join(rootfs.path, "etc/resolv.conf"));
    await writeFile(join(rootfs.path, "etc/hosts"), "1.1.1.1 image\n");
    const given = await request(
      "cat /etc/hosts; hostname; cat /etc/resolv.conf; exec nc -lk -p 8080 -e cat",
      {
        image: {
          rootfs: { path: rootfs.path, mounts: [] },
          config: {},
        } as unknown as ContainerRequest["image"],
      },
      "inner",
    );
    await containerizer.launch(given);
    const address = await addressOf(given);
    const resolver = await readFile("/etc/resolv.conf", "utf8");
    await eventually(async () => ((await output(given)).includes(resolver) ? true : undefined));
    expect(await output(given)).to.include(`\n${address} inner\ninner\n`);
    expect(await output(given)).not.to.include("image");
    await containerizer.destroy(given.containerId);
    expect(await readFile(join(rootfs.path, "etc/hosts"), "utf8")).to.equal("1.1.1.1 image\n");
    expect(await host.traces()).to.deep.equal([]);
  });

  it("keep their addresses when the agent is started anew", async () => {
    const given = await request(`exec ${SERVER}`);
    await containerizer.launch(given);
    const address = await addressOf(given);
    await eventually(() => get(address));
    const lost = await request("sleep 1000");
    await containerizer.launch(lost);
    await close();
    await open();
    await containerizer.recover([{ request: given }]);
    expect(await addressOf(given)).to.equal(address);
    expect(await get(address)).to.equal(given.containerId.value);
    expect((await host.traces()).join()).not.to.include(lost.containerId.value);
    await containerizer.destroy(given.containerId);
    expect(await host.traces()).to.deep.equal([]);
  });

  it("let those within them into their network, which may have one of their own instead, also after a new start of the agent", async () => {
    const outer = await request("exec sleep 1000", {}, "outer.example");
    await containerizer.launch(outer);
    const within = async (
      script: string,
      more: Partial<ContainerRequest> = {},
    ): Promise<ContainerRequest> => {
      const made = await request(script, { container: undefined, ...more });
      return { ...made, containerId: { ...made.containerId, parent: outer.containerId } };
    };
    const looks = "hostname; cat /etc/hosts; readlink /proc/self/ns/net";
    const seen = async (made: ContainerRequest): Promise<string> => {
      await containerizer.launch(made);
      await containerizer.wait(made.containerId);
      return output(made);
    };
    const address = await addressOf(outer);
    const { executor_pid: pid } = await containerizer.status(outer.containerId);
    const namespace = await readlink(`/proc/${pid}/ns/net`);
    const expected = new RegExp(`^outer.example\n[^]*${address} outer.example\n${escaped(namespace)}\n$`);
    expect(await seen(await within(looks))).to.match(expected);
    expect(await seen(await within(looks, { class: "debug", checkpoint: false }))).to.match(expected);
    const lasting = await within(`exec ${SERVER}`);
    await containerizer.launch(lasting);
    expect(await addressOf(lasting)).to.equal(address);
    await eventually(() => get(address));

    await close();
    await open();
    await containerizer.recover([outer, lasting].map((request) => ({ request })));
    expect(await addressOf(lasting)).to.equal(address);
    expect(await seen(await within(looks))).to.match(expected);
    const own = await within(`${looks}; exec sleep 1000`, containerOf(outer, [networkInfo("alpha")]));
    await containerizer.launch(own);
    expect(await addressOf(own)).to.not.equal(address);
    await containerizer.destroy(own.containerId);
    expect(await get(address)).to.equal("outer.example");
    await containerizer.destroy(outer.containerId);
    expect(await host.traces()).to.deep.equal([]);
  });

  it("fail with the isolator's name where a network cannot be joined, and leave nothing", async () => {
    await host.configure("b.conf", { cniVersion: "0.3.1", name: "beta", ...host.bridgePlugin("b") });
    const given = await request("true");
    const gateway = [{ protocol: NetworkInfo_Protocol.IPv4, ip_address: `${host.subnet("b")}.1` }];
    const infos = [networkInfo("alpha"), networkInfo("beta", { ip_addresses: gateway })];
    const failure = await containerizer.launch({ ...given, ...containerOf(given, infos) }).then(
      () => "",
      (error: Error) => error.message,
    );
    expect(failure).to.match(
      /isolator 'network\/cni' failed to isolate the container: .*bridge' failed to attach/,
    );
    expect(await host.traces()).to.deep.equal([]);
    expect(containerizer.containers()).to.deep.equal([]);
  });

  it("are joined and detached at the same time without getting in one another's way", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => request("sleep 1000")));
    await Promise.all(all.map((one) => containerizer.launch(one)));
    const addresses = await Promise.all(all.map(addressOf));
    expect(new Set(addresses).size).to.equal(8);
    await Promise.all(all.map(({ containerId }) => containerizer.destroy(containerId)));
    expect(await host.traces()).to.deep.equal([]);
    expect(execFileSync("ip", ["-o", "link"], { encoding: "utf8" })).not.to.include(
      `master ${host.bridge("a")}`,
    );
  });

  it("leave nothing when they are killed while they are being launched", async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => request("sleep 1000")));
    const launches = all.map((one) => containerizer.launch(one).catch(() => false));
    for (const { containerId } of all) {
      await new Promise((resolve) => setImmediate(resolve));
      await containerizer.destroy(containerId);
    }
    await Promise.all(launches);
    expect(await host.traces()).to.deep.equal([]);
  });

  const containerOf = (given: ContainerRequest, infos: Parameters<typeof containerRequest>[1]) => ({
    container: containerRequest(given.containerId.value!, infos).container,
  });
});

const escaped = (text: string): string => text.replaceAll(/[[\]]/g, "\\$&");
