import { lstat, mkdir, mkdtemp, readdir, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { pathInside, SafeDirectory } from "../../../sdk/safe-files/index.js";

describe("paths inside of a directory", () => {
  it("are found, in their shortest form", () => {
    expect(pathInside("a")).to.equal("a");
    expect(pathInside("a//b/./c/")).to.equal("a/b/c");
    expect(pathInside("a/../b")).to.equal("b");
    expect(pathInside("..a/...")).to.equal("..a/...");
    for (const out of ["", ".", "./", "/a", "..", "../a", "a/../..", "a/../../a", "a\0b"])
      expect(pathInside(out), JSON.stringify(out)).to.equal(undefined);
  });

  it("never lead out, whatever they are made of", () => {
    const step = fc.constantFrom("..", ".", "", "a", "b", "/", "...");
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        const inside = pathInside(steps.join("/"));
        if (inside !== undefined) expect(normalize(`/root/${inside}`)).to.match(/^\/root\/./);
      }),
    );
  });
});

describe("a directory in which somebody else may write", () => {
  let root: string;
  let outside: string;
  let directory: SafeDirectory;

  beforeEach(async () => {
    const top = await mkdtemp(join(tmpdir(), "tepui-safe-"));
    root = join(top, "root");
    outside = join(top, "outside");
    await mkdir(root);
    await mkdir(outside);
    directory = new SafeDirectory(root);
  });

  afterEach(() => rm(join(root, ".."), { recursive: true, force: true }));

  it("gets directories, whose modes are as asked for", async () => {
    directory.makeDirectory("a/b", { mode: 0o1777 });
    directory.makeDirectory("a/b", { mode: 0o700 });
    expect((await stat(join(root, "a/b"))).mode & 0o7777).to.equal(0o1777);
  });

  it("gets empty files, and keeps those that it has", async () => {
    directory.makeFile("a/file");
    await writeFile(join(root, "a/file"), "kept");
    directory.makeFile("a/file");
    expect((await stat(join(root, "a/file"))).size).to.equal(4);
  });

  it("gets links, and loses them again", async () => {
    directory.link("a/link", outside);
    directory.link("a/link", outside);
    expect(await readlink(join(root, "a/link"))).to.equal(outside);
    expect(() => directory.link("a/link", "/elsewhere")).to.throw(/is something else/);
    directory.unlink("a/link", "/elsewhere");
    expect((await lstat(join(root, "a/link"))).isSymbolicLink()).to.equal(true);
    directory.unlink("a/link", outside);
    directory.unlink("a/link", outside);
    expect(await readdir(join(root, "a"))).to.deep.equal([]);
  });

  it("gives away what is in it, and what is not there is fine", async () => {
    directory.makeDirectory("a/b/c");
    directory.moveOut("a/b", join(outside, "taken"));
    directory.moveOut("a/b", join(outside, "again"));
    expect(await readdir(join(outside, "taken"))).to.deep.equal(["c"]);
    expect(await readdir(outside)).to.deep.equal(["taken"]);
    await symlink(outside, join(root, "out"));
    expect(() => directory.moveOut("out/taken", join(root, "back"))).to.throw();
    expect(await readdir(outside)).to.deep.equal(["taken"]);
  });

  it("is never left through a link", async () => {
    await symlink(outside, join(root, "out"));
    await symlink("/nowhere", join(root, "dangling"));
    await writeFile(join(root, "file"), "");
    for (const path of ["out/a", "out", "dangling/a", "dangling", "file/a"])
      expect(() => directory.makeDirectory(path), path).to.throw();
    for (const path of ["out/a", "dangling/a"]) {
      expect(() => directory.makeFile(path), path).to.throw();
      expect(() => directory.link(path, "/"), path).to.throw();
    }
    directory.makeFile("dangling");
    expect(await readdir(outside)).to.deep.equal([]);
    expect(directory.leadsThroughLink("out/a")).to.equal(true);
    expect(directory.leadsThroughLink("dangling")).to.equal(true);
    expect(directory.leadsThroughLink("file/a/b")).to.equal(false);
    expect(directory.leadsThroughLink("new/a")).to.equal(false);
  });
});
