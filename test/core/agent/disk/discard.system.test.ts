import { spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { mountsBelow } from "../../../../core/agent/disk/mounts.js";
import { WorkerDisk } from "../../../../core/agent/disk/worker-disk.js";
import { requireThat } from "../../../support/require-part.js";

const mount = (...args: string[]): void => {
  const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
};

describe("directories that are discarded", () => {
  let directory: string;
  let outside: string;
  let sandbox: string;
  let aside: string;
  let disk: WorkerDisk;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-discard-"));
    aside = join(directory, "removing");
    outside = join(directory, "outside");
    sandbox = join(directory, "work", "sandbox");
    disk = new WorkerDisk({ aside });
    await mkdir(join(outside, "deep"), { recursive: true });
    await mkdir(join(sandbox, "data", "deeper"), { recursive: true });
    await writeFile(join(outside, "precious"), "gold");
    await writeFile(join(outside, "deep", "precious"), "gold");
    await writeFile(join(sandbox, "data", "deeper", "file"), "junk");
  });

  afterEach(async () => {
    await disk.stop();
    const table = await readFile("/proc/self/mountinfo", "utf8");
    for (const target of mountsBelow(table, directory)) spawnSync("umount", ["-l", target]);
    await rm(directory, { recursive: true });
  });

  const expectOutsideUntouched = async () => {
    expect(await readFile(join(outside, "precious"), "utf8")).to.equal("gold");
    expect(await readFile(join(outside, "deep", "precious"), "utf8")).to.equal("gold");
  };

  it("are gone, whatever they link to stays", async () => {
    await symlink(outside, join(sandbox, "link"));
    await symlink(join(outside, "precious"), join(sandbox, "data", "link"));
    await disk.discard(sandbox);
    expect(await readdir(join(directory, "work"))).to.deep.equal([]);
    expect(await readdir(aside)).to.deep.equal([]);
    await expectOutsideUntouched();
  });

  it("may be links themselves, and may not be there", async () => {
    const link = join(directory, "work", "link");
    await symlink(outside, link);
    await disk.discard(link);
    await disk.discard(link);
    expect(await readdir(join(directory, "work"))).to.deep.equal(["sandbox"]);
    await expectOutsideUntouched();
  });

  it("are looked up through no link of those who write above them, as they are not made through one", async () => {
    await symlink(outside, join(sandbox, "containers"));
    const path = join(sandbox, "containers", "deep");
    const refusal = (change: Promise<void>): Promise<string> => change.then(() => "done", String);
    expect(await refusal(disk.discard(path, sandbox))).to.contain("leads through something");
    expect(
      await refusal(disk.apply([{ op: "mkdir-inside", path: `${path}er`, boundary: sandbox }])),
    ).to.contain("leads through something");
    expect(await readdir(outside)).to.have.members(["deep", "precious"]);
    await disk.apply([{ op: "mkdir-inside", path: join(sandbox, "data", "new", "own"), boundary: sandbox }]);
    await disk.discard(join(sandbox, "data", "new"), sandbox);
    expect(await readdir(join(sandbox, "data"))).to.deep.equal(["deeper"]);
    await expectOutsideUntouched();
  });

  it("lose what is mounted in them, and the mounted data stays", async function () {
    requireThat(this, process.getuid?.() === 0, "mounts need root");
    await mkdir(join(sandbox, "with space"));
    mount("--bind", outside, join(sandbox, "with space"));
    mount("-t", "tmpfs", "none", join(sandbox, "data"));
    await mkdir(join(sandbox, "data", "inner"));
    mount("--bind", outside, join(sandbox, "data", "inner"));
    await disk.discard(sandbox);
    expect(await readdir(join(directory, "work"))).to.deep.equal([]);
    expect(mountsBelow(await readFile("/proc/self/mountinfo", "utf8"), directory)).to.deep.equal([]);
    await expectOutsideUntouched();
  });

  it("may be mount points", async function () {
    requireThat(this, process.getuid?.() === 0, "mounts need root");
    mount("--bind", outside, sandbox);
    await disk.discard(sandbox);
    expect(await readdir(join(directory, "work"))).to.deep.equal([]);
    await expectOutsideUntouched();
  });

  it("stay when a mount in them is in use, and go at the next start", async function () {
    requireThat(this, process.getuid?.() === 0, "mounts need root");
    const target = join(sandbox, "volume");
    await mkdir(target);
    mount("--bind", outside, target);
    const user = spawn("sleep", ["60"], { cwd: target });
    try {
      const refused = await disk.discard(sandbox).then(() => "", String);
      expect(refused).to.match(/volume' is mounted inside and cannot be unmounted: .*busy/s);
      await expectOutsideUntouched();
    } finally {
      const ended = new Promise((resolve) => user.once("exit", resolve));
      user.kill("SIGKILL");
      await ended;
    }
    const next = new WorkerDisk({ aside });
    await next.resumeDiscards();
    await next.stop();
    expect(await readdir(aside)).to.deep.equal([]);
    await expectOutsideUntouched();
  });

  it("do not keep their name: what is written there next is not theirs", async () => {
    for (let i = 0; i < 1000; i++) await writeFile(join(sandbox, String(i)), "");
    const gone = disk.discard(sandbox);
    await disk.apply([{ op: "create", path: join(sandbox, "new"), data: Buffer.from("mine") }]);
    await gone;
    expect(await readdir(sandbox)).to.deep.equal(["new"]);
  });
});
