import { existsSync } from "node:fs";
import { chown, lstat, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parseGidRange, VolumeGids } from "../../../plugins/filesystem-isolators/volume-gids.js";
import { type Resource, Value_Type, Volume_Mode } from "../../../proto/gen/mesos/v1/mesos.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { accountOf } from "../../../sdk/proc/index.js";
import { Resources } from "../../../sdk/resources/index.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { IsolatedContainers } from "../../support/isolated-containers.js";
import { requireThat } from "../../support/require-part.js";

describe("groups of volumes", () => {
  let directory: string;

  beforeEach(async function () {
    requireThat(this, process.geteuid?.() === 0, "giving files to groups needs root");
    directory = await mkdtemp(join(tmpdir(), "tepui-gids-"));
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  const open = async (range = "[70000-70001]"): Promise<VolumeGids> => {
    const gids = new VolumeGids({ ranges: parseGidRange(range), file: join(directory, "meta", "gids") });
    await gids.recover();
    return gids;
  };

  const volume = async (name: string): Promise<string> => {
    const path = join(directory, name);
    await mkdir(path);
    return path;
  };

  it("read ranges, and say what is wrong with others", () => {
    expect(parseGidRange("[1-2,5-6]")).to.deep.equal([
      { begin: 1, end: 2 },
      { begin: 5, end: 6 },
    ]);
    for (const bad of ["", "[]", "5", "{a}", "[0-5]", "[5-99999999999]"])
      expect(() => parseGidRange(bad), bad).to.throw(/must be ranges of group numbers/);
  });

  it("are each a volume's own, and all that is in it becomes the group's", async () => {
    const gids = await open();
    const path = await volume("a");
    await mkdir(join(path, "deep"));
    await writeFile(join(path, "deep/file"), "");
    await chown(join(path, "deep"), 65534, 65534);
    await symlink("/etc/passwd", join(path, "link"));
    expect(await gids.allocate(path)).to.equal(70000);
    expect(await gids.allocate(path)).to.equal(70000);
    expect(await gids.allocate(await volume("b"))).to.equal(70001);
    for (const each of [path, join(path, "deep")]) {
      const { gid, mode } = await stat(each);
      expect([gid, mode & 0o2020], each).to.deep.equal([70000, 0o2020]);
    }
    expect((await stat(join(path, "deep"))).uid).to.equal(65534);
    expect((await stat(join(path, "deep/file"))).gid).to.equal(70000);
    expect((await lstat(join(path, "link"))).gid).to.equal(70000);
    expect((await stat("/etc/passwd")).gid).to.equal(0);
  });

  it("are not given where that cannot be written down", async () => {
    const path = await volume("a");
    const gids = await open();
    const inTheWay = join(directory, "meta", "gids.tmp");
    await mkdir(inTheWay, { recursive: true });
    for (const _attempt of ["first", "second"])
      expect(await gids.allocate(path).then(String, String)).to.match(/EISDIR/);
    expect((await stat(path)).gid).to.equal(0);
    await rm(inTheWay, { recursive: true });
    expect(await gids.allocate(path)).to.equal(70000);
    expect(await (await open()).allocate(await volume("b"))).to.equal(70001);
  });

  it("survive the agent, and are free again when the volume is gone", async () => {
    const path = await volume("a");
    await (await open()).allocate(path);
    const later = await open();
    expect(await later.allocate(await volume("b"))).to.equal(70001);
    const refused = await later.allocate(await volume("c")).then(String, String);
    expect(refused).to.match(/the free gid range is exhausted/);
    await rm(path, { recursive: true });
    expect(await later.allocate(join(directory, "c"))).to.equal(70000);
    expect(await (await open()).allocate(join(directory, "c"))).to.equal(70000);
  });

  it("are set anew for a volume that was removed and made again", async () => {
    const gids = await open();
    const path = await volume("a");
    await gids.allocate(path);
    await rm(path, { recursive: true });
    await volume("a");
    expect(await gids.allocate(path)).to.equal(70000);
    expect((await stat(path)).gid).to.equal(70000);
  });

  it("are counted", async () => {
    const gids = await open("[70000-70009]");
    const metrics = new MetricsRegistry(new VirtualClock());
    gids.publish(metrics);
    await gids.allocate(await volume("a"));
    const figures = metrics.snapshot();
    expect(figures.get("volume_gid_manager/volume_gids_total")).to.equal(10);
    expect(figures.get("volume_gid_manager/volume_gids_free")).to.equal(9);
  });

  it("name the file that cannot be read", async () => {
    await mkdir(join(directory, "meta"));
    for (const text of ["{", "null", "7"]) {
      await writeFile(join(directory, "meta", "gids"), text);
      expect(await open().then(() => "read", String), text).to.match(/cannot be read from '.*meta\/gids'/);
    }
  });

  it("let two users share a volume", async function () {
    const bench = await IsolatedContainers.open(this, {
      isolation: "filesystem/linux",
      settings: { volume_gid_range: "[70000-70005]" },
    });
    try {
      const shared: Resource = {
        name: "disk",
        type: Value_Type.SCALAR,
        scalar: { value: 10 },
        reservations: [{ role: "dev", type: 1 }],
        shared: {},
        disk: {
          persistence: { id: "v", principal: "p" },
          volume: { container_path: "data", mode: Volume_Mode.RW },
        },
      };
      const resources = Resources.of([shared]);
      const path = bench.work("volumes/roles/dev/v");
      const write = "umask 002; echo $(id -un) >> data/file; id -G";
      expect(await bench.output(write, { user: "daemon", resources })).to.match(/\b70000\b/);
      expect(await bench.output(write, { user: "nobody", resources })).to.match(/\b70000\b/);
      expect(await readFile(join(path, "file"), "utf8")).to.equal("daemon\nnobody\n");
      expect((await stat(path)).uid).to.not.equal((await accountOf("nobody"))!.uid);
      expect(await bench.output("id -G", { user: "daemon" })).to.not.match(/\b70000\b/);
      expect(existsSync(bench.work("meta/volume_gid_manager/volume_gids"))).to.equal(true);
    } finally {
      await bench.close();
    }
  });
});
