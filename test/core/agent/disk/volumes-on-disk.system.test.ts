import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { mountsBelow } from "../../../../core/agent/disk/mounts.js";
import { WorkerDisk } from "../../../../core/agent/disk/worker-disk.js";
import { requireThat } from "../../../support/require-part.js";

describe("volumes that are destroyed", () => {
  let directory: string;
  let root: string;
  let outside: string;
  let disk: WorkerDisk;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-volumes-"));
    [root, outside] = [join(directory, "disk"), join(directory, "outside")];
    disk = new WorkerDisk({ aside: join(directory, "removing") });
    await mkdir(join(root, "deep", "deeper"), { recursive: true });
    await mkdir(outside);
    await writeFile(join(outside, "precious"), "gold");
    await writeFile(join(root, "deep", "deeper", "file"), "junk");
    await writeFile(join(root, "-file"), "junk");
  });

  afterEach(async () => {
    await disk.stop();
    const table = await readFile("/proc/self/mountinfo", "utf8");
    for (const target of mountsBelow(table, directory)) spawnSync("umount", ["-l", target]);
    await rm(directory, { recursive: true });
  });

  it("on a disk of their own leave it empty", async () => {
    await disk.apply([{ op: "empty", path: root }]);
    expect(await readdir(root)).to.deep.equal([]);
    await disk.apply([{ op: "empty", path: join(root, "missing") }]);
  });

  it("are not emptied through what is mounted in them", async function () {
    requireThat(this, process.getuid?.() === 0, "root");
    const target = join(root, "deep", "mounted");
    await mkdir(target);
    const tmpfs = spawnSync("mount", ["-t", "tmpfs", "tmpfs", target], { encoding: "utf8" });
    expect(tmpfs.status, tmpfs.stderr).to.equal(0);
    await writeFile(join(target, "precious"), "gold");
    const failed = await disk.apply([{ op: "empty", path: root }]).then(() => "", String);
    expect(failed).to.match(/cannot empty/);
    expect(await readFile(join(target, "precious"), "utf8")).to.equal("gold");
  });

  it("on a shared disk are moved aside there, and removed", async () => {
    const [volume, aside] = [join(root, "deep"), join(root, "volumes", "removing")];
    await disk.apply([{ op: "move-aside", from: volume, path: join(aside, "one") }]);
    expect(await readdir(aside)).to.deep.equal(["one"]);
    // As after the death of the agent.
    await disk.resumeDiscards(aside);
    expect(await readdir(aside)).to.deep.equal([]);
    expect(await readFile(join(outside, "precious"), "utf8")).to.equal("gold");
  });
});
