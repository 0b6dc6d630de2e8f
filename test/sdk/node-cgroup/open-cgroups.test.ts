import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { CgroupError, type CgroupHost, openCgroups } from "../../../sdk/node-cgroup/index.js";

/** Where the hierarchies of a made-up host are mounted: v1 by name of the directory, v2 with its controllers. */
interface Made {
  readonly v1?: readonly string[];
  readonly v2?: { readonly place: string; readonly controllers: string };
  /** Those that the kernel has; `-` before the name: switched off. */
  readonly kernel?: string;
  readonly hierarchy?: string;
}

const KERNEL = "cpu cpuacct cpuset memory devices freezer pids blkio hugetlb net_cls net_prio perf_event";

describe("openCgroups", () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "tepui-cgroups-"));
  });

  afterEach(() => rm(root, { recursive: true }));

  async function open({ v1 = [], v2, kernel = KERNEL, hierarchy = "groups" }: Made): Promise<CgroupHost> {
    const mounts = v1.map((name) => `1 1 0:1 / ${join(root, "groups", name)} rw - cgroup cgroup rw,${name}`);
    for (const name of v1) await mkdir(join(root, "groups", name), { recursive: true });
    if (v2 !== undefined) {
      const place = join(root, "groups", v2.place);
      await mkdir(place, { recursive: true });
      await writeFile(join(place, "cgroup.controllers"), `${v2.controllers}\n`);
      mounts.push(`1 1 0:1 / ${place} rw - cgroup2 cgroup2 rw`);
    }
    const switched = kernel
      .split(" ")
      .map((name) => `${name.replace("-", "")}\t1\t1\t${name.startsWith("-") ? 0 : 1}`);
    await writeFile(join(root, "mountinfo"), `${mounts.join("\n")}\n`);
    await writeFile(join(root, "controllers"), `#subsys_name\n${switched.join("\n")}\n`);
    return openCgroups({
      hierarchy: join(root, hierarchy),
      mountInfo: join(root, "mountinfo"),
      kernelControllers: join(root, "controllers"),
    });
  }

  it("finds v1, with controllers that share a hierarchy", async () => {
    const host = await open({ v1: ["cpu,cpuacct", "memory", "blkio"] });
    expect(host.controllers).to.deep.equal(["cpu", "cpuacct", "memory", "io"]);
    expect(host.controllers.map((each) => host.version(each))).to.deep.equal([1, 1, 1, 1]);
    expect(host.mountPoint("io")).to.equal(join(root, "groups/blkio"));
    const group = host.group("a/b", ["cpu", "cpuacct", "memory"]);
    expect(group.directories).to.deep.equal([
      join(root, "groups/cpu,cpuacct/a/b"),
      join(root, "groups/memory/a/b"),
    ]);
    expect(() => group.create()).not.to.throw();
    expect(group.exists()).to.equal(true);
    expect(host.list("a")).to.deep.equal(["a/b"]);
  });

  it("finds v2, with what every group there has", async () => {
    const host = await open({ v2: { place: "", controllers: "cpuset cpu io memory pids rdma" } });
    expect(host.controllers.map((each) => `${each} ${host.version(each)}`)).to.deep.equal(
      "cpu cpuacct cpuset memory devices freezer pids io perf_event".split(" ").map((each) => `${each} 2`),
    );
    expect(host.group("a/b", ["cpu", "freezer"]).directories).to.deep.equal([join(root, "groups/a/b/leaf")]);
  });

  it("takes each controller from where it is, on a host with both", async () => {
    const v1 = ["cpu", "cpuacct", "memory", "freezer", "devices"];
    const host = await open({ v1, v2: { place: "unified", controllers: "hugetlb" } });
    const versions = Object.fromEntries(host.controllers.map((each) => [each, host.version(each)]));
    expect(versions).to.deep.equal({
      cpu: 1,
      cpuacct: 1,
      memory: 1,
      devices: 1,
      freezer: 1,
      hugetlb: 2,
      perf_event: 2,
    });
    expect(host.group("x", ["memory", "hugetlb"]).directories).to.deep.equal([
      join(root, "groups/memory/x"),
      join(root, "groups/unified/x/leaf"),
    ]);
    const empty = await open({ v1, v2: { place: "unified", controllers: "" } });
    expect(empty.version("memory")).to.equal(1);
    expect(empty.version("hugetlb")).to.equal(undefined);
  });

  it("says why a controller is absent, and how to get it", async () => {
    const kernel = "cpu -memory pids net_cls";
    const host = await open({ v1: ["cpu"], kernel });
    const groups = join(root, "groups");
    expect(host.lack("cpu")).to.equal(undefined);
    expect(host.lack("pids")).to.equal(
      `cgroup controller pids is not mounted: mkdir -p ${groups}/pids && mount -t cgroup -o pids pids ${groups}/pids`,
    );
    expect(host.lack("memory")).to.contain("remove cgroup_disable=memory");
    expect(host.lack("hugetlb")).to.contain("CONFIG_CGROUP_HUGETLB");
    expect(() => host.group("a", ["cpu", "pids"])).to.throw(CgroupError, "pids is not mounted");
    const other = await open({ v1: ["cpu"], hierarchy: "other" });
    expect(other.lack("cpu")).to.contain(`mounted at ${groups}/cpu, which is not below ${root}/other`);
    const bare = await open({});
    expect(bare.controllers).to.deep.equal([]);
    expect(bare.lack("cpu")).to.contain(`mount -t cgroup2 cgroup2 ${groups}`);
  });

  it("keeps paths below the mount points", async () => {
    const host = await open({ v1: ["cpu"] });
    for (const path of ["", "/a", "a/", "a//b", "..", "a/../../b", ".", "a\nb", "a\tb"])
      expect(() => host.group(path, ["cpu"]), JSON.stringify(path)).to.throw(
        CgroupError,
        "not a cgroup path",
      );
    expect(() => host.list("../..")).to.throw(CgroupError);
  });
});
