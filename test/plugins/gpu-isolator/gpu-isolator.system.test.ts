import { mkdtemp, readdir, rm, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { findDriverFiles } from "../../../plugins/gpu-isolator/driver-files.js";
import { GpuIsolator } from "../../../plugins/gpu-isolator/gpu-isolator.js";
import { findNvidia, type NvidiaHost } from "../../../plugins/gpu-isolator/nvidia-host.js";
import { parseIndices, selectGpus } from "../../../plugins/gpu-isolator/selection.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import { Resources } from "../../../sdk/resources/index.js";
import { requireThat } from "../../support/require-part.js";
import { CONTROL_MAJOR, MAJOR, makeUpNvidia } from "./made-up-nvidia.js";

const gpusOf = (value: number): Resources =>
  Resources.of([{ name: "gpus", type: 0, scalar: { value }, reservations: [] }]);

const request = (id: string, count: number, labels?: Record<string, string>): ContainerRequest =>
  ({
    containerId: { value: id },
    resources: gpusOf(count),
    ...(labels !== undefined && {
      image: { rootfs: { path: "/r", mounts: [] }, config: { labels, environment: { PATH: "/bin" } } },
    }),
  }) as unknown as ContainerRequest;

describe("gpu/nvidia", () => {
  let directory: string;
  let root: string;
  let host: NvidiaHost;

  before(function () {
    requireThat(this, process.geteuid?.() === 0, "needs root, to make device nodes");
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-gpu-"));
    root = join(directory, "root");
    makeUpNvidia(root, { gpus: 3 });
    host = (await findNvidia(root))!;
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function isolator(): Promise<GpuIsolator> {
    const made = new GpuIsolator(join(directory, "state"));
    made.use({ ...host, driverFiles: await findDriverFiles(root) });
    return made;
  }

  it("finds GPUs in the order of their PCI addresses, with their nodes", () => {
    expect(
      host.gpus.map(({ index, path, major, minor, uuid, model }) => [index, path, major, minor, uuid, model]),
    ).to.deep.equal([
      [0, "/dev/nvidia2", MAJOR, 2, "GPU-00000000", "Made up 0"],
      [1, "/dev/nvidia1", MAJOR, 1, "GPU-00000001", "Made up 1"],
      [2, "/dev/nvidia0", MAJOR, 0, "GPU-00000002", "Made up 2"],
    ]);
    expect(host.controls.map(({ path, major, minor }) => [path, major, minor])).to.deep.equal([
      ["/dev/nvidiactl", CONTROL_MAJOR, 255],
      ["/dev/nvidia-uvm", CONTROL_MAJOR, 0],
    ]);
    expect(host.driverVersion).to.equal("535.104.05");
  });

  it("finds none where there is no driver, and says what is missing of half a driver", async () => {
    expect(await findNvidia(directory)).to.equal(undefined);
    await unlink(join(root, "dev/nvidia-uvm"));
    expect(await findNvidia(root).then(String, String)).to.match(
      /\/dev\/nvidia-uvm is missing; run nvidia-modprobe -u/,
    );
    await unlink(join(root, "dev/nvidia1"));
    expect(await findNvidia(root).then(String, String)).to.match(/\/dev\/nvidia1 is missing/);
  });

  it("offers what flags and host agree on, and says where they do not", () => {
    const select = (given: number | undefined, devices?: string): string => {
      try {
        return selectGpus(host, { given, indices: parseIndices(devices) })
          .map(({ index }) => index)
          .join(",");
      } catch (error) {
        return String(error);
      }
    };
    expect(select(undefined)).to.equal("0,1,2");
    expect(select(2)).to.equal("0,1");
    expect(select(2, "0,2")).to.equal("0,2");
    expect(select(undefined, "1")).to.equal("1");
    expect(select(0)).to.equal("");
    expect(select(0, "1")).to.match(/cannot be specified when '--resources' specifies 0 GPUs/);
    expect(select(4)).to.match(/\(4\) is greater than the number available \(3\)/);
    expect(select(1, "0,2")).to.match(/specify different numbers/);
    expect(select(undefined, "0,0")).to.match(/duplicates/);
    expect(select(undefined, "x")).to.match(/'x', which is no index/);
    expect(select(undefined, "7")).to.match(/there is no GPU 7; this host has 3/);
    const none = (): unknown => selectGpus(undefined, { given: 1, indices: undefined });
    expect(none).to.throw(/no NVIDIA driver: install it/);
  });

  it("gives each container whole GPUs of its own, and takes them back", async () => {
    const gpu = await isolator();
    const first = await gpu.prepare(request("a", 2));
    expect(first?.environment).to.deep.equal({ NVIDIA_VISIBLE_DEVICES: "0,1" });
    expect(first?.devices).to.deep.equal([
      { type: "c", major: MAJOR, minor: 2, access: "rw" },
      { type: "c", major: MAJOR, minor: 1, access: "rw" },
      { type: "c", major: CONTROL_MAJOR, minor: 255, access: "rwm" },
      { type: "c", major: CONTROL_MAJOR, minor: 0, access: "rwm" },
    ]);
    expect(await gpu.prepare(request("none", 0))).to.equal(undefined);
    expect((await gpu.prepare(request("b", 1)))?.environment).to.deep.equal({ NVIDIA_VISIBLE_DEVICES: "2" });
    expect(await gpu.prepare(request("c", 1)).then(String, String)).to.match(
      /Requested 1 gpus but only 0 available/,
    );
    await gpu.cleanup("c");
    await gpu.cleanup("a");
    expect((await gpu.prepare(request("c", 1)))?.environment).to.deep.equal({ NVIDIA_VISIBLE_DEVICES: "0" });
  });

  it("changes what a running container has, and says so only then", async () => {
    const gpu = await isolator();
    await gpu.prepare(request("a", 1));
    const to = (count: number) => gpu.update("a", { resources: gpusOf(count), limits: {}, pid: 1 });
    expect(await to(1)).to.equal(undefined);
    expect((await to(2))?.devices?.slice(0, 2).map(({ minor }) => minor)).to.deep.equal([2, 1]);
    expect((await to(0))?.devices).to.deep.equal([]);
  });

  it("remembers over a restart who has what", async () => {
    const before = await isolator();
    await before.prepare(request("a", 2));
    await before.prepare(request("gone", 1));
    const after = await isolator();
    await after.recover([{ request: request("a", 2) }]);
    expect((await after.prepare(request("b", 1)))?.environment).to.deep.equal({
      NVIDIA_VISIBLE_DEVICES: "2",
    });
    expect((await readdir(join(directory, "state"))).sort()).to.deep.equal(["a", "b"]);
  });

  it("puts the driver's files into images that ask for them", async () => {
    const gpu = await isolator();
    const plain = await gpu.prepare(request("a", 1, {}));
    expect(plain?.mounts).to.equal(undefined);
    expect(plain?.deviceNodes?.map(({ path }) => path)).to.deep.equal([
      "/dev/nvidia2",
      "/dev/nvidiactl",
      "/dev/nvidia-uvm",
    ]);
    const asking = await gpu.prepare(request("b", 1, { "com.nvidia.volumes.needed": "nvidia_driver" }));
    expect(asking?.mounts?.map(({ source, target }) => [source, target])).to.deep.equal([
      ["tmpfs", "/usr/local/nvidia"],
      [join(root, "usr/bin/nvidia-smi"), "/usr/local/nvidia/bin/nvidia-smi"],
      [
        join(root, "usr/lib/x86_64-linux-gnu/libcuda.so.535.104.05"),
        "/usr/local/nvidia/lib64/libcuda.so.535.104.05",
      ],
    ]);
    expect(asking?.symlinks).to.deep.equal({
      "/usr/local/nvidia/lib64/libcuda.so": "libcuda.so.535.104.05",
      "/usr/local/nvidia/lib64/libcuda.so.1": "libcuda.so.535.104.05",
    });
    expect(asking?.environment).to.deep.equal({
      PATH: "/bin:/usr/local/nvidia/bin",
      LD_LIBRARY_PATH: "/usr/local/cuda/compat:/usr/local/nvidia/lib:/usr/local/nvidia/lib64",
      NVIDIA_VISIBLE_DEVICES: "1",
    });
  });
});
