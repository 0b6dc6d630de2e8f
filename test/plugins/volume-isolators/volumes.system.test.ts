import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { chmod, lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { SecretStore } from "../../../plugins/volume-isolators/secret-store.js";
import {
  Image_Type,
  Volume_Source_SandboxPath_Type as SandboxPathType,
  Secret_Type,
  Volume_Source_Type as SourceType,
  type Volume,
  Volume_Mode,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { accountOf } from "../../../sdk/proc/index.js";
import { eventually } from "../../support/eventually.js";
import { hostMounts } from "../../support/host-mounts.js";
import { container, IsolatedContainers } from "../../support/isolated-containers.js";
import { requireThat } from "../../support/require-part.js";

const BOTH = [false, true];

describe("volumes", () => {
  let bench: IsolatedContainers;

  before(async function () {
    bench = await IsolatedContainers.open(this, {
      isolation: "filesystem/linux,volume/secret,namespaces/pid",
    });
  });

  after(() => bench?.close());

  const of = (image: boolean, ...volumes: Volume[]) => ({ container: container({ image, volumes }) });

  describe("volume/sandbox_path", () => {
    const volume = (path: string, source: string, mode = Volume_Mode.RW): Volume => ({
      container_path: path,
      mode,
      source: {
        type: SourceType.SANDBOX_PATH,
        sandbox_path: { type: SandboxPathType.SELF, path: source },
      },
    });

    it("shows a directory of the sandbox elsewhere, for the sandbox's owner to write", async () => {
      for (const image of BOTH) {
        const request = await bench.request("echo hidden > /var/tmp/tepui-file; cat tmp/own/tepui-file", {
          ...of(image, volume("/var/tmp", "tmp/own")),
          user: "daemon",
        });
        expect((await bench.run(request)).stdout).to.equal("hidden\n");
        expect((await stat(join(request.directory, "tmp/own"))).uid).to.equal(
          (await accountOf("daemon"))!.uid,
        );
        expect(existsSync("/var/tmp/tepui-file")).to.equal(false);
      }
      const old: Volume = { container_path: "/var/tmp", host_path: "own", mode: Volume_Mode.RW };
      expect(await bench.output("touch /var/tmp/file; ls own", of(false, old))).to.equal("file\n");
    });

    it("keeps read-only what is to be read-only", async () => {
      const request = await bench.request(
        "touch /mnt/file",
        of(false, volume("/mnt", "own", Volume_Mode.RO)),
      );
      const { end, stderr } = await bench.run(request);
      expect(end.exit!.code).to.not.equal(0);
      expect(stderr).to.match(/Read-only file system/);
    });

    it("refuses what Mesos refuses, and what leads out", async () => {
      const parent = volume("/mnt", "a");
      parent.source!.sandbox_path!.type = SandboxPathType.PARENT;
      const cases: readonly (readonly [Volume, RegExp])[] = [
        [parent, /PARENT type only works for nested container/],
        [volume("mnt", "a"), /'container_path' is relative for SANDBOX_PATH volume SELF type/],
        [volume("/no/such", "a"), /must exist if the container shares the host filesystem/],
        [volume("/mnt", "../a"), /does not lead into the sandbox/],
      ];
      for (const [asked, words] of cases) expect(await bench.refusal(of(false, asked))).to.match(words);
      const request = await bench.request("true", of(false, volume("/mnt", "link/a")));
      await symlink("/etc", join(request.directory, "link"));
      const text = await bench.containerizer.launch(request).then(() => "it ran", String);
      expect(text).to.match(/leads through a symbolic link/);
    });
  });

  describe("volume/image", () => {
    const volume = (path: string, mode = Volume_Mode.RW): Volume => ({
      container_path: path,
      mode,
      image: { type: Image_Type.DOCKER, docker: { name: "other" } },
    });

    it("shows the files of an image, to be changed for oneself", async () => {
      const before = hostMounts(bench.directory);
      for (const image of BOTH) {
        const script = "in/bin/busybox echo works; touch in/new; rm in/bin/yes; ls in";
        expect(await bench.output(script, of(image, volume("in")))).to.match(/^works\n(.*\n)*new/);
        expect(await bench.output("ls in in/bin", of(image, volume("in"))))
          .to.match(/\byes\b/)
          .and.not.match(/new/);
      }
      expect(await bench.output("ls /data/bin", of(true, volume("/data")))).to.match(/\bbusybox\b/);
      expect(hostMounts(bench.directory)).to.deep.equal(before);
    });

    it("keeps read-only what is to be read-only", async () => {
      for (const image of BOTH) {
        const request = await bench.request("touch in/new", of(image, volume("in", Volume_Mode.RO)));
        expect((await bench.run(request)).stderr).to.match(/Read-only file system/);
      }
    });

    it("is gone with its container", async () => {
      await bench.output("touch in/new", of(false, volume("in")));
      expect(await readdir(join(bench.directory, "provisioned"))).to.deep.equal([]);
    });
  });

  describe("volume/secret", () => {
    const secret = (path: string, data: string, mode = Volume_Mode.RO): Volume => ({
      container_path: path,
      mode,
      source: {
        type: SourceType.SECRET,
        secret: { type: Secret_Type.VALUE, value: { data: Buffer.from(data) } },
      },
    });
    const SECRET = `hunter2-${process.pid}`;

    it("is a file that the container alone reads", async () => {
      for (const image of BOTH) {
        const volumes = [secret("deep/key", SECRET), secret("other", "second")];
        const request = await bench.request("cat deep/key other; sleep 1000", {
          ...of(image, ...volumes),
          user: "daemon",
        });
        await bench.containerizer.launch(request);
        await eventually(async () => {
          const text = await readFile(join(request.directory, "stdout"), "utf8");
          return text === `${SECRET}second` ? true : undefined;
        });
        // On the host there is an empty file in its place, and nobody but root gets to the other.
        expect(await readFile(join(request.directory, "deep/key"), "utf8")).to.equal("");
        expect(findSecret(bench.directory, SECRET)).to.deep.equal([]);
        const stored = findSecret("/dev/shm", SECRET);
        expect(stored).to.have.length(1);
        expect((await lstat(join(stored[0]!, "../.."))).mode & 0o777).to.equal(0o700);
        await bench.containerizer.destroy(request.containerId);
        expect(findSecret("/dev/shm", SECRET)).to.deep.equal([]);
      }
      expect(await bench.output("cat /run/key", of(true, secret("/run/key", "in the root")))).to.equal(
        "in the root",
      );
    });

    it("is read-only, or else the user's to change", async () => {
      const attempt = (mode: Volume_Mode) =>
        bench.output("(echo new > key) 2>/dev/null; cat key", {
          ...of(false, secret("key", "old", mode)),
          user: "daemon",
        });
      expect(await attempt(Volume_Mode.RO)).to.equal("old");
      expect(await attempt(Volume_Mode.RW)).to.equal("new\n");
    });

    it("is not shown by what fails, and leaves nothing", async () => {
      const reference = secret("key", "");
      reference.source!.secret = { type: Secret_Type.REFERENCE, reference: { name: "db" } };
      const text = await bench.refusal(of(false, secret("one", SECRET), reference));
      expect(text)
        .to.match(/volume\/secret.*'db' is a reference/)
        .and.not.match(/hunter2/);
      expect(findSecret("/dev/shm", SECRET)).to.deep.equal([]);
      expect(bench.logger.lines.map((line) => JSON.stringify(line)).join()).to.not.match(/hunter2/);
    });
  });
});

/** Files below the directory that hold the text. Those of others may go while it is looked through. */
function findSecret(directory: string, text: string): string[] {
  const { stdout } = spawnSync("grep", ["-rlF", "--", text, directory], { encoding: "utf8" });
  return stdout.split("\n").filter((path) => path !== "" && !path.endsWith("/stdout"));
}

describe("the store of secrets", () => {
  const directory = `/dev/shm/tepui-test-${process.pid}`;

  before(async function () {
    requireThat(
      this,
      readFileSync("/proc/self/mounts", "utf8").includes(" /dev/shm tmpfs"),
      "no tmpfs at /dev/shm",
    );
    await mkdir(directory);
  });

  after(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it("is in memory, or not at all", async () => {
    expect(await new SecretStore(["/var/tmp/tepui-no-such"]).open()).to.equal(false);
    expect(existsSync("/var/tmp/tepui-no-such")).to.equal(false);
    expect(await new SecretStore(["/var/tmp/tepui-no-such", join(directory, "a/b")]).open()).to.equal(true);
    expect((await stat(join(directory, "a/b"))).mode & 0o777).to.equal(0o700);
  });

  it("is closed to others, also where it was open", async () => {
    const place = join(directory, "open");
    await mkdir(place);
    await chmod(place, 0o777);
    await new SecretStore([place]).open();
    expect((await stat(place)).mode & 0o777).to.equal(0o700);
    await symlink(place, join(directory, "link"));
    const text = await new SecretStore([join(directory, "link")]).open().then(() => "opened", String);
    expect(text).to.match(/belongs to user|EEXIST/);
  });

  it("keeps what belongs to containers that are there", async () => {
    const place = join(directory, "kept");
    const store = new SecretStore([place]);
    await store.open();
    await store.write("c1", { name: "0", secret: Buffer.from("a") });
    await store.write("c2", { name: "0", secret: Buffer.from("b") });
    await writeFile(join(place, "stray"), "");
    await store.keep(new Set(["c2"]));
    expect(await readdir(place)).to.deep.equal(["c2"]);
    await store.remove("c2");
    await store.remove("c2");
    expect(await readdir(place)).to.deep.equal([]);
  });
});
