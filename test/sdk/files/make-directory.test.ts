import { mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { makeDirectory } from "../../../sdk/files/index.js";

describe("making a directory", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-files-"));
  });

  afterEach(() => rm(directory, { recursive: true }));

  const refusal = (path: string): Promise<string> => makeDirectory(path).then(() => "made", String);

  it("makes those above it, once", async () => {
    const path = join(directory, "a", "b", "c");
    await makeDirectory(path, 0o700);
    await makeDirectory(path, 0o700);
    expect((await stat(path)).mode & 0o777).to.equal(0o700);
    await makeDirectory("/");
  });

  it("takes a link to a directory for one", async () => {
    await symlink(directory, join(directory, "link"));
    await makeDirectory(join(directory, "link", "below"));
    expect((await stat(join(directory, "below"))).isDirectory()).to.equal(true);
  });

  it("says what is in the way", async () => {
    await writeFile(join(directory, "file"), "");
    expect(await refusal(join(directory, "file"))).to.match(/EEXIST/);
    expect(await refusal(join(directory, "file", "below", "deep"))).to.match(/ENOTDIR/);
  });

  it("comes to an end where nothing can be made", async () => {
    expect(await refusal("/proc/x/y/z")).to.match(/'\/proc' takes no directories/);
  });
});
