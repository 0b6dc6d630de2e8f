import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ProjectIds } from "../../../plugins/disk-isolators/xfs/project-ids.js";
import type { ProjectLimit, ProjectQuotas } from "../../../plugins/disk-isolators/xfs/project-quotas.js";
import { type QuotaPolicy, XfsDiskIsolator } from "../../../plugins/disk-isolators/xfs/xfs-disk-isolator.js";
import { findXfsMount } from "../../../plugins/disk-isolators/xfs/xfs-mounts.js";
import { TaskStatus_Reason as Reason, type Resource } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import { Resources } from "../../../sdk/resources/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { disk } from "./disk-resource.js";

const MB = 1024n * 1024n;

/** What the kernel would keep. */
class QuotaTable implements ProjectQuotas {
  readonly ids = new Map<string, number>();
  readonly limits = new Map<number, string>();
  readonly used = new Map<number, bigint>();
  readings = 0;

  async assign(directory: string, { id }: { id: number }): Promise<void> {
    this.ids.set(directory, id);
  }

  async idsOf(directories: readonly string[]): Promise<(number | undefined)[]> {
    return directories.map((directory) => this.ids.get(directory));
  }

  async limit(_mountPoint: string, limits: readonly ProjectLimit[]): Promise<void> {
    for (const { id, soft, hard } of limits) this.limits.set(id, `${soft / MB}/${hard / MB}`);
  }

  async usage(): Promise<ReadonlyMap<number, bigint>> {
    this.readings += 1;
    return this.used;
  }
}

const volume = (id: string, value: number, source?: object): Resource =>
  disk(value, {
    reservations: [{ type: 2, role: "r" }],
    disk: {
      persistence: { id },
      volume: { container_path: id, mode: 1 },
      ...(source !== undefined && { source }),
    },
  });

describe("disk/xfs", () => {
  let workDir: string;
  let clock: VirtualClock;
  let table: QuotaTable;
  let ids: ProjectIds;

  beforeEach(async () => {
    workDir = await mkdtemp(join(tmpdir(), "tepui-xfs-"));
    clock = new VirtualClock();
    table = new QuotaTable();
  });
  afterEach(() => rm(workDir, { recursive: true }));

  const isolator = (policy: QuotaPolicy = "refuse", range = "[10-12]"): XfsDiskIsolator => {
    ids = ProjectIds.parse(range);
    return new XfsDiskIsolator({
      workDir,
      diskRoots: [],
      ids,
      quotas: table,
      findMount: async () => ({ mountPoint: "/xfs", enforcing: true }),
      policy,
      headroom: 2n * MB,
      interval: 15_000,
      reclaimInterval: 60_000,
      clock,
      logger: new MemoryLogger(),
    });
  };
  const sandbox = (id: string): string => join(workDir, "slaves/s/frameworks/f/executors/e/runs", id);
  async function request(id: string, ...resources: readonly Resource[]): Promise<ContainerRequest> {
    await mkdir(sandbox(id), { recursive: true });
    return {
      containerId: { value: id },
      directory: sandbox(id),
      resources: Resources.of(resources),
    } as ContainerRequest;
  }
  async function volumeDirectory(id: string): Promise<string> {
    const directory = join(workDir, "volumes/roles/r", id);
    await mkdir(directory, { recursive: true });
    return directory;
  }

  it("gives sandboxes and volumes ids of their own, and limits", async () => {
    const data = await volumeDirectory("data");
    const xfs = isolator();
    await xfs.prepare(await request("a", disk(5), volume("data", 7)));
    expect([table.ids.get(sandbox("a")), table.ids.get(data)]).to.deep.equal([10, 11]);
    expect([...table.limits]).to.deep.equal([
      [10, "5/5"],
      [11, "7/7"],
    ]);
    // Another container, the same volume.
    await xfs.prepare(await request("b", disk(1), volume("data", 7)));
    expect([table.ids.get(sandbox("b")), ids.free]).to.deep.equal([12, 0]);
  });

  it("gives a volume that two containers take at once one id", async () => {
    const data = await volumeDirectory("data");
    const xfs = isolator("refuse", "[10-20]");
    const requests = [await request("a", volume("data", 7)), await request("b", volume("data", 7))];
    await Promise.all(requests.map((each) => xfs.prepare(each)));
    expect(ids.free).to.equal(11 - 3);
    expect(table.limits.has(table.ids.get(data)!)).to.equal(true);
  });

  it("sets no limit where it only counts, and one above the limit where it ends containers", async () => {
    const counting = isolator("account");
    await counting.prepare(await request("a", disk(5)));
    expect(table.limits.get(10)).to.equal("0/0");
    table.used.set(10, 9n * MB);
    const { disk_statistics: volumes, ...rest } = await counting.usage("a");
    expect(rest).to.deep.equal({ disk_used_bytes: 9n * MB, disk_limit_bytes: 5n * MB });
    expect(volumes).to.deep.equal([]);
    table.ids.clear();
    await isolator("kill").prepare(await request("b", disk(5)));
    expect(table.limits.get(10)).to.equal("5/7");
  });

  it("ends containers that hold more than they may, and says of what", async () => {
    await volumeDirectory("data");
    const xfs = isolator("kill");
    xfs.start();
    await xfs.prepare(await request("a", disk(5), volume("data", 7)));
    await xfs.prepare(await request("b", disk(5)));
    const told: string[] = [];
    for (const id of ["a", "b"])
      void xfs.watch(id, new AbortController().signal).then(({ reason, message, limitation }) => {
        expect(reason).to.equal(Reason.REASON_CONTAINER_LIMITATION_DISK);
        const [resource] = limitation!.resources;
        told.push(`${id}: ${message} [${resource?.scalar?.value} ${resource?.disk?.persistence?.id}]`);
      });
    table.used
      .set(10, 5n * MB)
      .set(11, 8n * MB)
      .set(12, 5n * MB);
    await clock.advance(15_000);
    expect(told).to.deep.equal(["a: Disk usage (8MB) exceeded quota (7MB) for volume 'data' [8 data]"]);
    await xfs.update("b", { resources: Resources.of([disk(4)]), limits: {}, pid: 1 });
    await clock.advance(15_000);
    expect(told[1]).to.equal("b: Disk usage (5MB) exceeded quota (4MB) [5 undefined]");
    xfs.stop();
  });

  it("says what volumes hold, and takes disks of their own as they are", async () => {
    await volumeDirectory("data");
    const mount = { type: 2, mount: { root: workDir } };
    const xfs = isolator();
    await xfs.prepare(await request("a", disk(5), volume("data", 7), volume("own", 100, mount)));
    table.used.set(11, MB);
    const [data, own] = (await xfs.usage("a")).disk_statistics!;
    expect(data).to.deep.equal({ limit_bytes: 7n * MB, used_bytes: MB, persistence: { id: "data" } });
    expect(Number(own?.used_bytes)).to.be.greaterThan(0);
    expect(own?.limit_bytes).to.equal(undefined);
    expect(ids.free, "no id for a disk of its own").to.equal(1);
  });

  it("asks the kernel once for all that ask at a time", async () => {
    const xfs = isolator();
    for (const id of ["a", "b", "c"]) await xfs.prepare(await request(id, disk(1)));
    await Promise.all(["a", "b", "c"].map((id) => xfs.usage(id)));
    expect(table.readings).to.equal(1);
  });

  it("gives ids back when nothing of theirs is left, and not before", async () => {
    const xfs = isolator();
    xfs.start();
    for (const id of ["a", "b", "c"]) await xfs.prepare(await request(id, disk(1)));
    const refused = await xfs.prepare(await request("d", disk(1))).then(String, String);
    expect(refused).to.match(/range exhausted/);
    await xfs.cleanup("a");
    await clock.advance(60_000);
    expect(ids.free, "its sandbox is still there").to.equal(0);
    await rm(sandbox("a"), { recursive: true });
    // A running container keeps its id, whatever becomes of its sandbox.
    await rm(sandbox("b"), { recursive: true });
    await clock.advance(60_000);
    // The look reads directories.
    while (ids.free === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(ids.free).to.equal(1);
    expect(table.limits.get(10)).to.equal("0/0");
    await xfs.prepare(await request("d", disk(1)));
    expect(table.ids.get(sandbox("d"))).to.equal(10);
    xfs.stop();
  });

  it("takes ids back from the file system after a restart", async () => {
    await volumeDirectory("data");
    const first = isolator();
    const a = await request("a", disk(5), volume("data", 7));
    await first.prepare(a);
    await symlink(sandbox("a"), join(sandbox("a"), "../latest"));
    // A container of a time before this isolator was named.
    const unknown = await request("unknown", disk(3));
    table.limits.clear();
    const second = isolator("kill");
    await second.recover([{ request: a }, { request: unknown }]);
    expect(ids.free).to.equal(0);
    expect([...table.limits].sort()).to.deep.equal([
      [10, "5/7"],
      [11, "7/9"],
      [12, "3/5"],
    ]);
    // Another range: what is outside of it stays in use and does not count.
    const third = isolator("refuse", "[12-20]");
    await third.recover([]);
    expect([ids.total, ids.free]).to.deep.equal([9, 8]);
  });

  it("recovers the others when one container's sandbox cannot be used", async () => {
    const a = await request("a", disk(5));
    const xfs = isolator("refuse", "[10-10]");
    await xfs.recover([{ request: a }, { request: await request("b", disk(5)) }]);
    expect(table.limits.get(10)).to.equal("5/5");
    expect(await xfs.usage("b")).to.deep.equal({});
  });
});

describe("ids of XFS projects", () => {
  it("are read as ranges, and refused with the reason otherwise", () => {
    expect(ProjectIds.parse("[5-6, 9-9]").total).to.equal(3);
    const problem = (text: string): string => {
      try {
        return `${ProjectIds.parse(text).total} ids`;
      } catch (error) {
        return String(error);
      }
    };
    expect(problem("[0-9]")).to.match(/0 is the id of all that has none/);
    expect(problem("[5-4294967296]")).to.match(/ids end at 4294967295/);
    for (const text of ["7", "{a}", "[]", "[9-5]", "[a-b]", "["])
      expect(problem(text), text).to.match(/such as \[5000-10000\]/);
  });
});

describe("where XFS with project quotas is mounted", () => {
  const table = (options: string, type = "xfs"): string =>
    [
      "22 1 8:1 / / rw - ext4 /dev/sda1 rw",
      `30 22 8:2 / /var/lib/my\\040mesos rw shared:1 master:2 - ${type} /dev/sdb1 rw,inode64,${options}`,
    ].join("\n");
  const find = (options: string, path = "/var/lib/my mesos/work", type?: string) =>
    findXfsMount(path, table(options, type));

  it("is found by the path", async () => {
    const mountPoint = "/var/lib/my mesos";
    expect(await find("prjquota")).to.deep.equal({ mountPoint, enforcing: true });
    expect(await find("pqnoenforce")).to.deep.equal({ mountPoint, enforcing: false });
  });

  it("is told otherwise, with how to get it", async () => {
    expect(await find("noquota")).to.deep.equal({
      lack: "project quotas on the XFS file system of '/var/lib/my mesos/work': mount '/var/lib/my mesos' with -o prjquota, on a kernel with CONFIG_XFS_QUOTA",
    });
    for (const [path, type] of [
      ["/var/lib/my mesosphere", "xfs"],
      ["/var/lib/my mesos/work", "ext4"],
    ] as const)
      expect((await find("prjquota", path, type)) as { lack: string })
        .to.have.property("lack")
        .that.matches(/it is on ext4: make one with mkfs.xfs/);
  });
});
