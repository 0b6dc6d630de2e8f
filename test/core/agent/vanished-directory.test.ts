import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { DiskOperation } from "../../../core/agent/disk/operations.js";
import { DiskPerformer } from "../../../core/agent/disk/perform.js";

describe("an agent whose work directory has gone, as where a file system is no longer mounted", () => {
  let folder: string;
  let work: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tepui-vanished-"));
    work = join(folder, "work");
    mkdirSync(join(work, "meta"), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("creates no new one in its place, and continues when it is back", () => {
    const disk = new DiskPerformer(join(work, "meta"));
    const data = Buffer.from("x");
    const operations: DiskOperation[] = [
      { op: "write", path: join(work, "meta/slaves/a/agent.info"), data },
      { op: "create", path: join(work, "meta/slaves/a/task.info"), data },
      { op: "append", path: join(work, "meta/slaves/a/task.updates"), data },
      { op: "symlink", path: join(work, "meta/slaves/latest"), target: "a" },
      { op: "mkdir", path: join(work, "slaves/a/frameworks") },
    ];
    renameSync(join(work, "meta"), join(folder, "aside"));
    for (const operation of operations) {
      expect(() => disk.perform(operation), operation.op).to.throw(
        `'${join(work, "meta")}' is not there any more`,
      );
    }
    for (const path of ["meta", "slaves"]) expect(existsSync(join(work, path)), path).to.equal(false);
    renameSync(join(folder, "aside"), join(work, "meta"));
    for (const operation of operations) disk.perform(operation);
    expect(existsSync(join(work, "meta/slaves/a/task.updates"))).to.equal(true);
  });
});
