import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect } from "chai";
import { VolumeCheckpoints } from "../../../plugins/volume-isolators/docker/checkpoints.js";
import { DockerVolumes } from "../../../plugins/volume-isolators/docker/docker-volumes.js";
import { DvdcliDriver } from "../../../plugins/volume-isolators/docker/driver.js";
import { type Volume, Volume_Mode, Volume_Source_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import { accountOf } from "../../../sdk/proc/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { container, IsolatedContainers } from "../../support/isolated-containers.js";

/** A volume is a directory of its driver's; what is asked is written down. The volume `bad` cannot be mounted, `stuck` not unmounted. */
const DVDCLI = `#!/bin/sh
printf '%s\\n' "$*" >> "$DVDCLI_ROOT/log"
for word; do
  case $word in
    --volumedriver=*) driver=\${word#*=} ;;
    --volumename=*) name=\${word#*=} ;;
  esac
done
case $1-$name in
  mount-bad) echo "no such volume" >&2; exit 1 ;;
  unmount-stuck) [ -e "$DVDCLI_ROOT/unstick" ] || { echo "device is busy" >&2; exit 1; } ;;
esac
mkdir -p "$DVDCLI_ROOT/$driver/$name"
[ "$1" = unmount ] || echo "$DVDCLI_ROOT/$driver/$name"
`;

const volume = (
  path: string,
  name: string,
  more: { driver?: string; mode?: Volume_Mode; options?: [string, string][] } = {},
): Volume => ({
  container_path: path,
  mode: more.mode ?? Volume_Mode.RW,
  source: {
    type: Volume_Source_Type.DOCKER_VOLUME,
    docker_volume: {
      driver: more.driver ?? "rex",
      name,
      driver_options: { parameter: (more.options ?? []).map(([key, value]) => ({ key, value })) },
    },
  },
});

describe("docker/volume", () => {
  let directory: string;
  let saved: string | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-dvdcli-"));
    await mkdir(join(directory, "bin"));
    await writeFile(join(directory, "bin/dvdcli"), DVDCLI);
    await chmod(join(directory, "bin/dvdcli"), 0o755);
    await chmod(directory, 0o755);
    saved = process.env.PATH;
    process.env.PATH = `${join(directory, "bin")}${delimiter}${saved}`;
    process.env.DVDCLI_ROOT = directory;
  });

  afterEach(async () => {
    process.env.PATH = saved;
    delete process.env.DVDCLI_ROOT;
    await rm(directory, { recursive: true, force: true });
  });

  const log = async (): Promise<string[]> =>
    (await readFile(join(directory, "log"), "utf8").catch(() => "")).split("\n").filter(Boolean);
  const mounted = "mount --volumedriver=rex --volumename=";
  const unmounted = "unmount --volumedriver=rex --volumename=";
  const logger = new MemoryLogger();

  const open = async (): Promise<DockerVolumes> => {
    const driver = new DvdcliDriver();
    expect(driver.find()).to.equal(true);
    const checkpoints = new VolumeCheckpoints(join(directory, "checkpoints"));
    await checkpoints.open();
    return new DockerVolumes({ driver, checkpoints, sandboxDirectory: "/mnt", chown: false, logger });
  };

  const request = async (id: string, ...volumes: Volume[]): Promise<ContainerRequest> => {
    const sandbox = join(directory, "sandboxes", id);
    await mkdir(sandbox, { recursive: true });
    return {
      containerId: { value: id },
      directory: sandbox,
      container: container({ volumes }),
    } as unknown as ContainerRequest;
  };

  const checkpointed = (): Promise<string[]> => readdir(join(directory, "checkpoints"));

  it("asks for nothing where there are no such volumes", async () => {
    expect(await (await open()).prepare(await request("c1"))).to.equal(undefined);
    expect([await log(), await checkpointed()]).to.deep.equal([[], []]);
  });

  it("mounts a volume with its options, and says where", async () => {
    const isolator = await open();
    const options: [string, string][] = [
      ["size", "5"],
      ["fs", "xfs"],
    ];
    const contribution = await isolator.prepare(await request("c1", volume("in", "v1", { options })));
    expect(contribution).to.deep.equal({
      namespaces: ["mount"],
      mounts: [{ source: join(directory, "rex/v1"), target: "in", create: "directory", options: ["rbind"] }],
    });
    expect(await log()).to.deep.equal([`${mounted}v1 --volumeopts=size=5 --volumeopts=fs=xfs`]);
    const text = await readFile(join(directory, "checkpoints/c1/volumes"), "utf8");
    expect(JSON.parse(text)).to.deep.equal({ volumes: [{ driver: "rex", name: "v1" }] });
    await isolator.cleanup("c1");
    expect((await log()).at(-1)).to.equal(`${unmounted}v1`);
    expect(await checkpointed()).to.deep.equal([]);
  });

  it("unmounts a volume when the last container that uses it has ended", async () => {
    const isolator = await open();
    await isolator.prepare(await request("c1", volume("in", "v1"), volume("other", "v2")));
    await isolator.prepare(await request("c2", volume("in", "v1")));
    await isolator.cleanup("c1");
    expect((await log()).slice(3)).to.deep.equal([`${unmounted}v2`]);
    await isolator.cleanup("c2");
    await isolator.cleanup("c2");
    expect((await log()).slice(4)).to.deep.equal([`${unmounted}v1`]);
  });

  it("takes up what an earlier run of the agent mounted, and unmounts what nobody uses", async () => {
    const earlier = await open();
    for (const id of ["c1", "c2"])
      await earlier.prepare(await request(id, volume("in", "v1"), volume("b", `own-${id}`)));
    // Cut short, before anything was mounted.
    await mkdir(join(directory, "checkpoints/c3"));
    const later = await open();
    await later.recover([{ request: await request("c2") }]);
    expect((await log()).slice(4)).to.deep.equal([`${unmounted}own-c1`]);
    expect(await checkpointed()).to.deep.equal(["c2"]);
    await later.cleanup("c2");
    expect((await log()).slice(5).sort()).to.deep.equal([`${unmounted}own-c2`, `${unmounted}v1`]);
  });

  it("tries again after a restart what a driver did not unmount", async () => {
    const isolator = await open();
    await isolator.prepare(await request("c1", volume("in", "stuck")));
    const text = await isolator.cleanup("c1").then(() => "cleaned", String);
    expect(text).to.match(/'dvdcli unmount' of the volume 'stuck' with driver 'rex' failed: device is busy/);
    const later = await open();
    await later.recover([]);
    expect(logger.messages("warn").join()).to.match(/stay mounted/);
    expect(await checkpointed()).to.deep.equal(["c1"]);
    await writeFile(join(directory, "unstick"), "");
    await (await open()).recover([]);
    expect(await checkpointed()).to.deep.equal([]);
  });

  it("refuses what Mesos refuses, and unmounts what was mounted until then", async () => {
    const isolator = await open();
    const failure = async (id: string, ...volumes: Volume[]): Promise<string> => {
      const text = await isolator.prepare(await request(id, ...volumes)).then(() => "prepared", String);
      await isolator.cleanup(id);
      return text;
    };
    const nameless = volume("in", "v1");
    delete nameless.source!.docker_volume!.driver;
    expect(await failure("c1", nameless)).to.match(/The volume driver is not specified for volume 'v1'/);
    expect(await failure("c2", volume("a", "v1"), volume("b", "v1"))).to.match(
      /Found duplicate docker volume with driver 'rex' and name 'v1'/,
    );
    expect(await log()).to.deep.equal([]);
    expect(await failure("c3", volume("a", "v1"), volume("b", "bad"))).to.match(
      /'dvdcli mount' of the volume 'bad' with driver 'rex' failed: no such volume/,
    );
    expect(await log()).to.include(`${unmounted}v1`);
    expect(await checkpointed()).to.deep.equal([]);
  });

  it("is read and written by containers, whose users own it where the operator says so", async function () {
    const settings = { docker_volume_chown: "true" };
    const bench = await IsolatedContainers.open(this, {
      isolation: "filesystem/linux,docker/volume",
      settings,
    });
    try {
      for (const image of [false, true]) {
        const of = (name: string, mode?: Volume_Mode) => ({
          container: container({ image, volumes: [volume("in", name, mode && { mode })] }),
          user: "daemon",
        });
        await bench.output(`echo ${image} > in/file`, of("v1"));
        expect(await readFile(join(directory, "rex/v1/file"), "utf8")).to.equal(`${image}\n`);
        expect((await stat(join(directory, "rex/v1"))).uid).to.equal((await accountOf("daemon"))!.uid);
        const request = await bench.request("cat in/file; touch in/new", of("v1", Volume_Mode.RO));
        const { stdout, stderr } = await bench.run(request);
        expect([stdout, /Read-only/.test(stderr)]).to.deep.equal([`${image}\n`, true]);
      }
      const last = (await log()).at(-1);
      expect(last).to.equal(`${unmounted}v1`);
    } finally {
      await bench.close();
    }
  });

  it("needs dvdcli", async function () {
    process.env.PATH = saved;
    expect(new DvdcliDriver().find()).to.equal(false);
    const text = await IsolatedContainers.open(this, { isolation: "filesystem/linux,docker/volume" }).then(
      async (bench) => {
        await bench.close();
        return "opened";
      },
      (error: unknown) => `${error} ${error instanceof Error ? error.cause : ""}`,
    );
    expect(text).to.match(/'docker\/volume' needs the program 'dvdcli': put it into the agent's PATH/);
  });
});
