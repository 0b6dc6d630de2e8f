import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  type Resource,
  Resource_DiskInfo_Source_Type as Source,
  TaskState,
} from "../../proto/gen/mesos/v1/mesos.js";
import { type Cluster, startCluster, until } from "../support/cluster.js";
import { type Daemon, startDaemon } from "../support/daemons.js";
import {
  create,
  destroy,
  isVolume,
  megabytes,
  PatientScheduler,
  reserve,
  reserved,
  volumeOf,
} from "../support/patient-scheduler.js";
import { requirePart, requireThat } from "../support/require-part.js";

const isOf = (type: Source) => (resource: Resource) => resource.disk?.source?.type === type;

const exists = async (path: string): Promise<boolean> =>
  (await readdir(path).catch(() => undefined)) !== undefined;

describe("disks besides that of the work directory, on a real cluster", function () {
  this.timeout(60_000);
  let directory: string;
  let shared: string;
  let mounted: string;
  let cluster: Cluster | undefined;
  let agent: Daemon | undefined;
  let scheduler: PatientScheduler;

  before(async function () {
    requireThat(this, process.getuid?.() === 0, "root");
    const makeFileSystem = requirePart(this, "mkfs.ext4", "e2fsprogs");
    directory = await mkdtemp(join(tmpdir(), "tepui-disks-"));
    [shared, mounted] = [join(directory, "shared"), join(directory, "mounted")];
    for (const path of [shared, mounted]) await mkdir(path);
    const image = join(directory, "image");
    await writeFile(image, "");
    await truncate(image, 16 * 2 ** 20);
    succeed(makeFileSystem, "-q", image);
    succeed("mount", "-o", "loop", image, mounted);
    await writeFile(join(shared, "neighbour"), "of somebody else");

    const disk = (value: number, source: object) => ({
      name: "disk",
      type: "SCALAR",
      scalar: { value },
      disk: { source },
    });
    const resources = [
      { name: "cpus", type: "SCALAR", scalar: { value: 4 } },
      { name: "mem", type: "SCALAR", scalar: { value: 1024 } },
      { name: "disk", type: "SCALAR", scalar: { value: 256 } },
      disk(512, { type: "PATH", path: { root: shared } }),
      disk(16, { type: "MOUNT", mount: { root: mounted } }),
      disk(1000, { type: "BLOCK", id: "sdx1" }),
      disk(2000, { type: "RAW", id: "sdy", profile: "fast" }),
    ];
    cluster = await startCluster({ agents: 0 });
    agent = await startDaemon("mesos-agent", [
      `--master=127.0.0.1:${cluster.master.port}`,
      `--resources=${JSON.stringify(resources)}`,
      "--registration_backoff_factor=10ms",
    ]);
    scheduler = await PatientScheduler.subscribe(cluster.master);
  });

  after(async () => {
    await scheduler?.client.teardown();
    await agent?.stop();
    await cluster?.stop();
    if (directory === undefined) return;
    spawnSync("umount", [mounted]);
    await rm(directory, { recursive: true });
  });

  const succeed = (program: string, ...args: string[]): void => {
    const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
    expect(status, stderr).to.equal(0);
  };

  it("are offered, each as what it is", async () => {
    const offer = await scheduler.offerOf(isOf(Source.RAW));
    const disks = offer.resources
      .filter(({ name }) => name === "disk")
      .map(({ disk, scalar }) => {
        const { type, path, mount, id, profile } = disk?.source ?? {};
        return [
          type === undefined ? "ROOT" : Source[type],
          path?.root ?? mount?.root ?? id,
          profile,
          scalar?.value,
        ];
      });
    expect(disks).to.have.deep.members([
      ["ROOT", undefined, undefined, 256],
      ["PATH", shared, undefined, 512],
      ["MOUNT", mounted, undefined, 16],
      ["BLOCK", "sdx1", undefined, 1000],
      ["RAW", "sdy", "fast", 2000],
    ]);
    await scheduler.client.decline(offer, { refuse_seconds: 0 });
  });

  it("of type PATH hold several volumes, those of type MOUNT one, and tasks write to them", async () => {
    const offer = await scheduler.offerOf(isOf(Source.PATH), isOf(Source.MOUNT));
    const of = (type: Source) => offer.resources.find(isOf(type))!;
    const parts = [128, 64].map((mb) => reserved(megabytes(of(Source.PATH), mb)));
    const whole = reserved(of(Source.MOUNT));
    const volumes = [volumeOf(parts[0]!, "one"), volumeOf(parts[1]!, "two"), volumeOf(whole, "all")];
    await scheduler.accept(offer, [reserve([...parts, whole]), create(volumes)]);

    const wanted = ["one", "two", "all"].map(isVolume);
    const next = await scheduler.offerOf(...wanted);
    const used = next.resources.filter((resource) => wanted.some((test) => test(resource)));
    const status = await scheduler.run(
      next,
      "for v in one two all; do echo $v > $v/file || exit 1; done",
      used,
    );
    expect(status.state, status.message).to.equal(TaskState.TASK_FINISHED);
    const text = (...path: string[]) => readFile(join(...path), "utf8");
    expect(await text(shared, "volumes/roles/dev/one/file")).to.equal("one\n");
    expect(await text(shared, "volumes/roles/dev/two/file")).to.equal("two\n");
    expect(await text(mounted, "file")).to.equal("all\n");
  });

  it("lose with a destroyed volume its content, and nothing else", async () => {
    const offer = await scheduler.offerOf(isVolume("one"), isVolume("all"));
    const gone = offer.resources.filter((resource) => isVolume("one")(resource) || isVolume("all")(resource));
    await scheduler.accept(offer, [destroy(gone)]);
    await until(async () => !(await exists(join(shared, "volumes/roles/dev/one"))));
    await until(async () => (await readdir(mounted)).length === 0);
    expect(await readFile(join(shared, "volumes/roles/dev/two/file"), "utf8")).to.equal("two\n");
    expect(await readFile(join(shared, "neighbour"), "utf8")).to.equal("of somebody else");
    // It is still a file system of its own, and can become a volume again.
    expect(spawnSync("mountpoint", ["-q", mounted]).status).to.equal(0);
    const again = await scheduler.offerOf(isOf(Source.MOUNT));
    const [disk] = again.resources.filter(isOf(Source.MOUNT));
    expect(disk!.reservations).to.have.length(1);
    await scheduler.accept(again, [create([volumeOf(disk!, "all")])]);
    const renewed = await scheduler.offerOf(isVolume("all"));
    await scheduler.client.decline(renewed, { refuse_seconds: 0 });
  });
});
