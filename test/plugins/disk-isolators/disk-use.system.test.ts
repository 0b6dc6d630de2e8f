import { link, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { diskUse } from "../../../plugins/disk-isolators/disk-use.js";

const MB = 1024 * 1024;

describe("what a directory holds on disk", () => {
  let root: string;
  const { signal } = new AbortController();

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "tepui-du-"));
    for (const name of ["box", "elsewhere", "box/vol[1]", "box/vol1"]) await mkdir(join(root, name));
  });
  afterEach(() => rm(root, { recursive: true }));

  const fill = (name: string, megabytes: number): Promise<void> =>
    writeFile(join(root, name), Buffer.alloc(megabytes * MB, 1));
  const measured = async (...without: string[]): Promise<number> =>
    Math.round(Number(await diskUse(join(root, "box"), { without, signal })) / MB);

  it("counts a file of two names once, and nothing behind links", async () => {
    await fill("box/file", 2);
    await link(join(root, "box/file"), join(root, "box/again"));
    await fill("elsewhere/file", 4);
    await symlink(join(root, "elsewhere"), join(root, "box/link"));
    expect(await measured()).to.equal(2);
  });

  it("leaves out what it is told to, taking no name for a pattern", async () => {
    await fill("box/vol[1]/file", 3);
    await fill("box/vol1/file", 1);
    expect(await measured()).to.equal(4);
    expect(await measured(join(root, "box", "vol[1]"))).to.equal(1);
  });

  it("rejects for a directory that is not there", async () => {
    const failed = await diskUse(join(root, "none"), { without: [], signal }).then(() => "", String);
    expect(failed).to.match(/none/);
  });
});
