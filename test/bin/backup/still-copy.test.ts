import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { stillCopy } from "../../../bin/backup/still-copy.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";

describe("still copy", () => {
  let root: string;
  let directory: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "still-copy-"));
    directory = join(root, "meta");
    mkdirSync(directory);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const copy = (patience = 20_000) => stillCopy({ directory, name: "meta", patience });

  it("holds files, links and directories, parents first", async () => {
    mkdirSync(join(directory, "b"));
    writeFileSync(join(directory, "b", "file"), "x", { mode: 0o640 });
    symlinkSync("b", join(directory, "a"));
    const entries = await copy();
    expect(entries.map(({ kind, path }) => `${kind} ${path}`)).to.deep.equal([
      "directory meta",
      "link meta/a",
      "directory meta/b",
      "file meta/b/file",
    ]);
  });

  it("is of one moment while a writer goes on", async () => {
    // The writer's rule: 'second' never says more than 'first', and a count appears in one file after the other.
    writeFileSync(join(directory, "first"), "0");
    writeFileSync(join(directory, "log"), "");
    writeFileSync(join(directory, "second"), "0");
    const random = new SeededRandom(5);
    let count = 0;
    let writing = true;
    const replace = (name: string): void => {
      writeFileSync(join(root, name), String(count));
      renameSync(join(root, name), join(directory, name));
    };
    const writer = (async () => {
      while (writing) {
        count++;
        replace("first");
        appendFileSync(join(directory, "log"), "x");
        mkdirSync(join(directory, `made-${count}`));
        replace("second");
        rmSync(join(directory, `made-${count}`), { recursive: true });
        await new Promise((resolve) => setTimeout(resolve, random.next() * 60));
      }
    })();
    for (let round = 0; round < 20 || count < 8; round++) {
      const entries = await copy();
      const text = (name: string): string => {
        const entry = entries.find(({ path }) => path === `meta/${name}`);
        return entry?.kind === "file" ? entry.content.toString() : "missing";
      };
      // Between the writer's turns all three say the same.
      expect(text("second")).to.equal(text("first"));
      expect(text("log")).to.have.length(Number(text("first")));
      expect(entries.filter(({ path }) => path.includes("made-"))).to.deep.equal([]);
    }
    writing = false;
    await writer;
  });

  it("gives up on a directory that is never still", async () => {
    let writing = true;
    const writer = (async () => {
      while (writing) {
        appendFileSync(join(directory, "log"), "x");
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const outcome = await copy(300).then(
      () => "a copy",
      (error: Error) => error.message,
    );
    writing = false;
    await writer;
    expect(outcome).to.match(/a copy|meta\/log between every two looks/);
  });
});
