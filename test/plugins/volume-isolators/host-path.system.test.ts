import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { parseForceCreation } from "../../../plugins/volume-isolators/host-path.js";
import { readMounts } from "../../../plugins/volume-isolators/mount-table.js";
import { type Volume, Volume_Mode, Volume_Source_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import { eventually } from "../../support/eventually.js";
import { container, IsolatedContainers } from "../../support/isolated-containers.js";

/** Of this run of the tests alone. */
const FORCED = `/tmp/tepui-force-${process.pid}`;

describe("volume/host_path", () => {
  let bench: IsolatedContainers;
  let host: string;

  before(async function () {
    const settings = { host_path_volume_force_creation: `${FORCED}:/nowhere-at-all` };
    bench = await IsolatedContainers.open(this, { isolation: "filesystem/linux", settings });
    host = join(bench.directory, "host");
    await mkdir(join(host, "deep"), { recursive: true });
    await writeFile(join(host, "file"), "of the host\n");
    await chmod(join(host, "file"), 0o666);
  });

  after(async () => {
    await bench?.close();
    await rm(FORCED, { recursive: true, force: true });
  });

  const volume = (path: string, source: string, mode = Volume_Mode.RW): Volume => ({
    container_path: path,
    mode,
    source: { type: Volume_Source_Type.HOST_PATH, host_path: { path: source } },
  });
  const of = (image: boolean, ...volumes: Volume[]) => ({ container: container({ image, volumes }) });
  const BOTH = [false, true];

  it("gives directories and files of the host, also by the older field", async () => {
    for (const image of BOTH) {
      expect(await bench.output("cat in/file", of(image, volume("in", host)))).to.equal("of the host\n");
      expect(await bench.output("cat a/one", of(image, volume("a/one", join(host, "file"))))).to.equal(
        "of the host\n",
      );
      const old = { container_path: "in", host_path: host, mode: Volume_Mode.RW };
      await bench.output("echo written > in/deep/new", of(image, old));
      expect(await readFile(join(host, "deep/new"), "utf8")).to.equal("written\n");
      await rm(join(host, "deep/new"));
    }
    expect(await bench.output("cat /data/own/file", of(true, volume("/data/own", host)))).to.equal(
      "of the host\n",
    );
    expect(await bench.output("cat /x/y", of(true, volume("/x/y", join(host, "file"))))).to.equal(
      "of the host\n",
    );
    expect(existsSync("/data/own")).to.equal(false);
  });

  it("keeps read-only what is to be read-only, with all that is mounted below", async () => {
    const below = join(host, "deep");
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", below]);
    try {
      for (const image of BOTH) {
        const { end, stderr } = await bench.run(
          await bench.request("cat in/file && ! echo x > in/file && ! touch in/deep/new", {
            ...of(image, volume("in", host, Volume_Mode.RO)),
            user: "nobody",
          }),
        );
        expect(end.exit!.code, stderr).to.equal(0);
        expect(stderr).to.match(/Read-only file system/);
      }
      // Also in its own place.
      const same = await bench.output(
        `touch ${host}/new 2>&1 || true`,
        of(false, volume(host, host, Volume_Mode.RO)),
      );
      expect(same).to.match(/Read-only file system/);
      expect(existsSync(join(host, "new"))).to.equal(false);
    } finally {
      execFileSync("umount", [below]);
    }
  });

  it("is at an absolute path only where that exists, for containers in the host's file system", async () => {
    expect(await bench.refusal(of(false, volume("/no/such", host)))).to.match(
      /isolator 'volume\/host_path' failed to prepare the container: Mount point '\/no\/such' is an absolute path. It must exist if the container shares the host filesystem/,
    );
    expect(await bench.output("cat /mnt/file", of(false, volume("/mnt", host)))).to.equal("of the host\n");
    expect(existsSync("/mnt/file")).to.equal(false);
    expect(await bench.refusal(of(false, volume("/mnt", join(host, "file"))))).to.match(
      /Mount point '\/mnt' must be a file/,
    );
  });

  it("stays in the sandbox, whatever its path or a link there says", async () => {
    for (const path of ["../x", "a/../../x", ".."])
      expect(await bench.refusal(of(false, volume(path, host))), path).to.match(
        /does not lead into the sandbox/,
      );
    const request = await bench.request("true", of(false, volume("link/x", host)));
    await symlink("/etc", join(request.directory, "link"));
    const text = await bench.containerizer.launch(request).then(() => "it ran", String);
    expect(text).to.match(/leads through a symbolic link in the sandbox/);
    expect(existsSync("/etc/x")).to.equal(false);
    // Above the root there is nothing.
    expect(await bench.output("cat /x/file", of(true, volume("/../../x", host)))).to.equal("of the host\n");
    expect(existsSync("/x")).to.equal(false);
  });

  it("does not leave an image's root through links in it", async () => {
    const script = "ls /; cat /data/file";
    const container_ = of(true, volume("/data", host), volume("/etc/../tmp/../../data2", host));
    expect(await bench.output(script, container_)).to.match(/of the host/);
  });

  it("must exist, unless the operator lets it be made", async () => {
    const missing = join(host, "missing");
    expect(await bench.refusal(of(false, volume("in", missing)))).to.match(
      /HOST_PATH volume does not exist and is not whitelisted for creation/,
    );
    expect(await bench.refusal(of(false, volume("in", "/nowhere-at-all/a")))).to.match(/no such file/);
    await mkdir(FORCED);
    await bench.output("touch in/file", of(false, volume("in", `${FORCED}/a/b/`)));
    expect(await readdir(`${FORCED}/a/b`)).to.deep.equal(["file"]);
    await symlink(host, `${FORCED}/link`);
    expect(await bench.refusal(of(false, volume("in", `${FORCED}/link/made`)))).to.match(
      /leads through something that is not a directory/,
    );
    expect(existsSync(join(host, "made"))).to.equal(false);
    expect(await bench.refusal(of(false, volume("in", `${FORCED}/../tepui-out`)))).to.match(
      /not whitelisted/,
    );
  });

  it("reaches nothing of the host beside the volume", async () => {
    const script = `ls ${bench.directory}/work /mnt/mesos/sandbox/in/../../../../boot 2>/dev/null; cd -P in/..; pwd; ls`;
    const text = await bench.output(script, of(true, volume("in", join(host, "deep"))));
    expect(text)
      .to.match(/^\/mnt\/mesos\/sandbox\nin\n/)
      .and.not.match(/vmlinuz/);
  });

  it("shares mounts with the host in the way that is asked for", async () => {
    const shared = join(bench.directory, "shared");
    await mkdir(shared);
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", shared]);
    try {
      const bidirectional = (path: string, source: string): Volume => ({
        ...volume(path, source),
        source: {
          type: Volume_Source_Type.HOST_PATH,
          host_path: { path: source, mount_propagation: { mode: 2 } },
        },
      });
      execFileSync("mount", ["--make-private", shared]);
      expect(await bench.refusal(of(false, bidirectional("in", shared)))).to.match(
        /Cannot setup bidirectional mount propagation .* because it is not under a shared mount/,
      );
      execFileSync("mount", ["--make-shared", shared]);
      await mkdir(join(shared, "a"));
      await mkdir(join(shared, "b"));
      for (const image of BOTH) {
        for (const both of [false, true]) {
          const make = both ? bidirectional : volume;
          const script =
            "mount -t tmpfs tmpfs in/a && touch in/a/inside && echo made; while ! [ -e in/b/outside ]; do sleep 0.02; done; echo seen; sleep 1000";
          const request = await bench.request(script, of(image, make("in", shared)));
          await bench.containerizer.launch(request);
          const said = (text: string) =>
            eventually(async () =>
              (await readFile(join(request.directory, "stdout"), "utf8")) === text ? true : undefined,
            );
          await said("made\n");
          expect(existsSync(join(shared, "a/inside")), `image ${image}, both ${both}`).to.equal(both);
          execFileSync("mount", ["-t", "tmpfs", "tmpfs", join(shared, "b")]);
          await writeFile(join(shared, "b/outside"), "");
          // What the host mounts later shows up in either case.
          await said("made\nseen\n");
          await bench.containerizer.destroy(request.containerId);
          execFileSync("umount", [join(shared, "b")]);
          if (both) execFileSync("umount", [join(shared, "a")]);
        }
      }
    } finally {
      execFileSync("umount", ["-R", shared]);
    }
  });
});

describe("--host_path_volume_force_creation", () => {
  it("is absolute paths", () => {
    expect(parseForceCreation("/a:/b/c/:")).to.deep.equal(["/a", "/b/c"]);
    expect(() => parseForceCreation("/a:b")).to.throw(/must be absolute paths separated by colons, not 'b'/);
  });
});

describe("the mount table", () => {
  it("is read with all that may be in it", () => {
    const line = "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime shared:1 master:1 - ext3 /dev/root rw\n";
    expect(readMounts(line)).to.deep.equal([{ target: "/mnt 2", type: "ext3", shared: true }]);
    expect(readMounts().map(({ target }) => target)).to.include("/");
  });
});
