import { existsSync, readFileSync, realpathSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { createTestKernel, type TestKernel } from "../../../core/testing/index.js";
import cniIsolator from "../../../plugins/cni-isolator/index.js";
import portsIsolator from "../../../plugins/ports-isolator/index.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import { Isolator } from "../../../sdk/contracts/isolator.js";
import { isolatorSuite } from "../../../sdk/testing/isolator-suite.js";
import { CniHost, PLUGINS } from "../../support/cni-host.js";
import { requirePart, requireThat } from "../../support/require-part.js";
import { containerRequest, networkInfo } from "./support.js";

describe("the plugins of network/cni and network/ports", function () {
  this.timeout(30_000);
  let host: CniHost;
  const kernels: TestKernel[] = [];

  before(function () {
    requireThat(this, process.geteuid?.() === 0, "networks need root");
    requirePart(this, "bridge", "containernetworking-plugins");
  });

  beforeEach(async function () {
    host = await CniHost.open(this);
    await host.configure("a.conf", {
      cniVersion: "0.3.1",
      name: "alpha",
      ...host.bridgePlugin("a", { ipMasq: false }),
    });
  });

  afterEach(async () => {
    for (const kernel of kernels.splice(0)) await kernel.stop();
    await host.close();
  });

  /** Undefined: not set. */
  const settings = (more: Record<string, unknown> = {}): Record<string, unknown> => {
    const all = {
      isolation: "network/cni",
      work_dir: join(host.directory, "work"),
      runtime_dir: join(host.directory, "state"),
      network_cni_plugins_dir: PLUGINS,
      network_cni_config_dir: host.configs,
      ...more,
    };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  };

  async function agent(more: Record<string, unknown> = {}): Promise<TestKernel> {
    const kernel = await createTestKernel({
      plugins: [cniIsolator, portsIsolator],
      target: "agent",
      settings: settings(more),
    });
    kernels.push(kernel);
    return kernel;
  }

  const isolatorOf = ({ kernel }: TestKernel): Isolator => kernel.getAll(Isolator)[0]!;

  const failure = (more: Record<string, unknown>): Promise<string> =>
    agent(more).then(
      () => "",
      (error: Error) => error.message,
    );

  const mounted = (path: string): boolean =>
    readFileSync("/proc/self/mountinfo", "utf8").includes(` ${path} `);

  for (const [why, more, problem] of [
    ["no directory of plugins", { network_cni_plugins_dir: undefined }, /--network_cni_plugins_dir/],
    ["no directory of networks", { network_cni_config_dir: undefined }, /--network_cni_config_dir/],
    [
      "a directory that is not there",
      { network_cni_config_dir: "/nowhere" },
      /cannot read .*'\/nowhere'.*ENOENT/,
    ],
    [
      "DNS for the host",
      { default_container_dns: { mesos: [{ network_mode: "HOST", dns: {} }] } },
      /HOST network/,
    ],
    [
      "ports that contradict",
      {
        isolation: "network/ports",
        check_agent_port_range_only: true,
        container_ports_isolated_range: "[1-2]",
      },
      /only one of/,
    ],
  ] as const) {
    it(`does not start with ${why}`, async () => {
      expect(await failure(more)).to.match(problem);
    });
  }

  it("starts without networks, where neither directory is given; a container that names one is refused", async () => {
    const isolator = isolatorOf(
      await agent({ network_cni_plugins_dir: undefined, network_cni_config_dir: undefined }),
    );
    const prepared = isolator.prepare!(containerRequest("c", [networkInfo("alpha")]));
    expect(await prepared.catch((error: Error) => error.message)).to.match(/Unknown CNI network 'alpha'/);
    expect(await isolator.prepare!(containerRequest("d", []))).to.equal(undefined);
  });

  it("is there without being named where it makes a difference, as in Mesos", async () => {
    const none = { network_cni_plugins_dir: undefined, network_cni_config_dir: undefined };
    const names = ({ kernel }: TestKernel): string[] => kernel.getAll(Isolator).map(({ name }) => name);
    expect(names(await agent({ isolation: "posix/cpu", ...none }))).to.deep.equal([]);
    expect(names(await agent({ isolation: "posix/cpu" }))).to.deep.equal(["network/cni"]);
    const images = await agent({ isolation: "filesystem/linux", ...none });
    expect(names(images)).to.deep.equal(["network/cni"]);
    expect(isolatorOf(images).isolate, "the command need not wait").to.equal(undefined);
    const image = { rootfs: { path: "/x", mounts: [] } } as unknown as ContainerRequest["image"];
    const contribution = await isolatorOf(images).prepare!({ ...containerRequest("c", []), image });
    const resolver = contribution?.mounts?.find(({ target }) => target === "/etc/resolv.conf");
    expect(resolver).to.deep.include({ source: realpathSync("/etc/resolv.conf"), create: "file" });
    expect(resolver?.options).to.include.members(["bind", "ro"]);
  });

  it("refuses wishes that only a network can fulfil", async () => {
    const isolator = isolatorOf(await agent());
    const { name: _, ...nameless } = networkInfo("x", {
      port_mappings: [{ host_port: 80, container_port: 80 }],
    });
    for (const request of [
      containerRequest("c", [nameless]),
      containerRequest("c", [], { hostname: "web" }),
    ]) {
      const message = await isolator.prepare!(request).catch((error: Error) => error.message);
      expect(message).to.match(/network_infos/);
    }
  });

  it("keeps its hands off the containers of another agent, and off the mounts of its own that live on", async () => {
    const one = await agent();
    const other = await agent({ work_dir: join(host.directory, "work2") });
    await isolatorOf(one).recover!([]);
    await isolatorOf(one).prepare!(containerRequest("mine", [networkInfo("alpha")]));
    const pid = await host.server();
    await isolatorOf(one).isolate!("mine", pid, {});
    await isolatorOf(other).recover!([]);
    const roots = join(host.directory, "state/isolators/network/cni");
    const [first, second] = await Promise.all(
      (await readdir(roots)).map(async (name) => ({
        path: join(roots, name),
        ids: await readdir(join(roots, name)),
      })),
    );
    const used = [first!, second!].find(({ ids }) => ids.length > 0)!;
    const unused = [first!, second!].find(({ ids }) => ids.length === 0)!;
    expect(used.ids).to.deep.equal(["mine"]);
    await other.stop();
    expect(mounted(unused.path)).to.equal(false);
    await one.stop();
    expect(mounted(used.path), "a container still needs it").to.equal(true);
    const again = await agent();
    await host.end(pid);
    await isolatorOf(again).recover!([]);
    await again.stop();
    expect(mounted(used.path)).to.equal(false);
    expect(await readdir(used.path)).to.deep.equal([]);
  });

  it("keeps its records in the work directory where they are to outlive the host", async () => {
    await mkdir(join(host.directory, "work"), { recursive: true });
    const isolator = isolatorOf(await agent({ network_cni_root_dir_persist: true }));
    await isolator.prepare!(containerRequest("kept", [networkInfo("alpha")]));
    expect(existsSync(join(host.directory, "work/isolators/network/cni/kept/hosts"))).to.equal(true);
    await isolator.cleanup!("kept");
  });

  for (const isolation of ["network/cni", "network/ports"]) {
    describe(isolation, () => {
      const suite = isolatorSuite(async () => {
        const kernel = await agent({ isolation });
        return {
          isolator: isolatorOf(kernel),
          directory: host.directory,
          pid: process.pid,
          close: async () => void (await kernel.stop()),
        };
      });
      for (const { name, run } of suite) it(name, run);
    });
  }
});
