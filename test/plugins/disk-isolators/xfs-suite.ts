import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { createTestKernel, type TestKernel } from "../../../core/testing/index.js";
import diskIsolators from "../../../plugins/disk-isolators/index.js";
import type { Resource } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import { Isolator } from "../../../sdk/contracts/isolator.js";
import { Resources } from "../../../sdk/resources/index.js";
import { disk } from "./disk-resource.js";

const run = promisify(execFile);
const MB = 1024 * 1024;

/** For a kernel with XFS and its quotas: makes file systems and mounts them. */
describe("disk/xfs on a real file system", () => {
  let root: string;
  let mountPoint: string;
  let kernel: TestKernel | undefined;
  let xfs: Isolator;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "tepui-xfs-"));
    mountPoint = join(root, "file system");
    await mkdir(mountPoint);
    await run("truncate", ["-s", "320M", join(root, "image")]);
    await run("mkfs.xfs", ["-q", "-f", join(root, "image")]);
  });
  after(() => rm(root, { recursive: true }));

  const mount = (options: string) => run("mount", ["-o", `loop,${options}`, join(root, "image"), mountPoint]);
  beforeEach(() => mount("prjquota"));
  afterEach(async () => {
    await kernel?.stop();
    kernel = undefined;
    await run("umount", [mountPoint]);
  });

  async function start(
    settings: Record<string, unknown> = {},
    recovered: readonly ContainerRequest[] = [],
  ): Promise<void> {
    kernel = await createTestKernel({
      plugins: [diskIsolators],
      target: "agent",
      settings: {
        isolation: "disk/xfs",
        work_dir: join(mountPoint, "work"),
        enforce_container_disk_quota: true,
        container_disk_watch_interval: "1secs",
        disk_watch_interval: "1secs",
        xfs_project_range: "[50-59]",
        ...settings,
      },
    });
    [xfs] = kernel.kernel.getAll(Isolator) as [Isolator];
    // What other cases left keeps its ids.
    await xfs.recover!(recovered.map((request) => ({ request })));
  }
  async function stop(): Promise<void> {
    await kernel?.stop();
    kernel = undefined;
  }

  async function request(id: string, ...resources: Resource[]): Promise<ContainerRequest> {
    const directory = join(mountPoint, "work/slaves/s/frameworks/f/executors/an executor/runs", id);
    await mkdir(directory, { recursive: true });
    return { containerId: { value: id }, directory, resources: Resources.of(resources) } as ContainerRequest;
  }
  const write = (directory: string, name: string, megabytes: number): Promise<string> =>
    writeFile(join(directory, name), Buffer.alloc(megabytes * MB, 1), { flush: true }).then(
      () => "written",
      (error: NodeJS.ErrnoException) => error.code ?? "failed",
    );
  const used = async (id: string): Promise<number> =>
    Number((await xfs.usage!(id, 1)).disk_used_bytes ?? 0n) / MB;

  it("keeps a sandbox to its limit, with all that it held before", async () => {
    await start();
    const a = await request("a", disk(4));
    await write(a.directory, "fetched", 1);
    await run("mkfifo", [join(a.directory, "pipe")]);
    await xfs.prepare!(a);
    const b = await request("b", disk(4));
    await xfs.prepare!(b);
    expect(await write(a.directory, "two", 2)).to.equal("written");
    expect(await write(a.directory, "more", 2)).to.be.oneOf(["ENOSPC", "EDQUOT"]);
    expect(await write(b.directory, "more", 3), "its neighbour").to.equal("written");
    const { disk_limit_bytes: limit, disk_used_bytes: held } = await xfs.usage!("a", 1);
    expect(limit).to.equal(BigInt(4 * MB));
    expect(Number(held)).to.be.within(3 * MB, 4 * MB);
    await xfs.update!("a", { resources: Resources.of([disk(8)]), limits: {}, pid: 1 });
    expect(await write(a.directory, "more", 2)).to.equal("written");
  });

  it("keeps volumes to their own limits", async () => {
    await start();
    const data = join(mountPoint, "work/volumes/roles/a role/data");
    await mkdir(data, { recursive: true });
    const volume = disk(3, {
      reservations: [{ type: 2, role: "a/role" }],
      disk: { persistence: { id: "data" }, volume: { container_path: "data", mode: 1 } },
    });
    await xfs.prepare!(await request("v", disk(2), volume));
    expect(await write(data, "two", 2)).to.equal("written");
    expect(await write(data, "four", 4)).to.be.oneOf(["ENOSPC", "EDQUOT"]);
    const { disk_statistics: volumes, disk_used_bytes: sandbox } = await xfs.usage!("v", 1);
    expect(Number(volumes![0]!.used_bytes)).to.be.within(2 * MB, 3 * MB);
    expect(volumes![0]!.limit_bytes).to.equal(BigInt(3 * MB));
    expect(sandbox ?? 0n).to.equal(0n);
  });

  it("lets a container that is to be ended write into the headroom, and tells", async () => {
    await start({ xfs_kill_containers: true, xfs_quota_headroom: "2MB" });
    const k = await request("k", disk(3));
    await xfs.prepare!(k);
    const limited = xfs.watch!("k", new AbortController().signal);
    expect(await write(k.directory, "four", 4)).to.equal("written");
    await kernel!.clock.advance(1000);
    expect((await limited).message).to.match(/^Disk usage \(4\d*.B\) exceeded quota \(3MB\)$/);
    expect(await write(k.directory, "more", 2)).to.be.oneOf(["ENOSPC", "EDQUOT"]);
  });

  it("only counts where nothing is enforced", async () => {
    await start({ enforce_container_disk_quota: false });
    const c = await request("c", disk(2));
    await xfs.prepare!(c);
    expect(await write(c.directory, "four", 4)).to.equal("written");
    expect(await used("c")).to.be.within(4, 4.5);
  });

  it("knows after a restart what is whose, and gives back the ids of what is gone", async () => {
    await start({ xfs_project_range: "[70-71]" });
    const free = (): number => kernel!.metrics.snapshot().get("containerizer/mesos/disk/project_ids_free")!;
    const a = await request("again", disk(4));
    await xfs.prepare!(a);
    await write(a.directory, "two", 2);
    const gone = await request("gone", disk(4));
    await xfs.prepare!(gone);
    expect(free()).to.equal(0);
    await stop();
    await start({ xfs_project_range: "[70-71]" }, [a]);
    expect(free()).to.equal(0);
    expect(await used("again")).to.be.within(2, 2.5);
    expect(await write(a.directory, "three", 3)).to.be.oneOf(["ENOSPC", "EDQUOT"]);
    await rm(gone.directory, { recursive: true });
    while (free() === 0) {
      await kernel!.clock.advance(1000);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await xfs.prepare!(await request("new", disk(1)));
    expect((await stat(a.directory)).isDirectory()).to.equal(true);
  });

  it("stops the agent where quotas are not counted, or not kept", async () => {
    const problem = (settings = {}): Promise<string> => start(settings).then(() => "it started", String);
    await run("umount", [mountPoint]);
    await mount("noquota");
    expect(await problem()).to.match(/'disk\/xfs' needs project quotas .* with -o prjquota/);
    await run("umount", [mountPoint]);
    await mount("pqnoenforce");
    expect(await problem()).to.match(/'disk\/xfs' needs limits that are kept .* with -o prjquota/);
    expect(await problem({ enforce_container_disk_quota: false })).to.equal("it started");
    await stop();
    expect(await problem({ work_dir: join(root, "elsewhere") })).to.match(
      /on XFS, and it is on \w+: make one/,
    );
  });
});
