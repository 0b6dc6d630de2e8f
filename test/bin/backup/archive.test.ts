import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { checkBackup, writeBackup } from "../../../bin/backup/archive.js";
import { readArchive, type TarEntry } from "../../../bin/backup/tar.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { tarArchive } from "../../support/tar-archive.js";

const LONG = `meta/${"ä".repeat(60)}/${"b".repeat(90)}`;

const ENTRIES: readonly TarEntry[] = [
  { kind: "file", path: "registry.record", mode: 0o600, content: Buffer.from("facts") },
  { kind: "directory", path: "meta", mode: 0o755 },
  { kind: "directory", path: `meta/${"ä".repeat(60)}`, mode: 0o700 },
  { kind: "file", path: LONG, mode: 0o644, content: Buffer.alloc(1000, 7) },
  { kind: "file", path: "meta/empty", mode: 0o600, content: Buffer.alloc(0) },
  { kind: "link", path: "meta/latest", target: `/somewhere/${"c".repeat(200)}` },
];

const ABOUT = { format: 1, made: "2026-01-01T00:00:00Z", version: "1.2.3", source: "/x" } as const;

describe("backup archive", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "backup-archive-"));
    path = join(folder, "backup.tar");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const errorOf = () =>
    checkBackup(path).then(
      () => "sound",
      (error: Error) => error.message,
    );

  it("needs a directory to be made in, and says which is not there", async () => {
    const place = join(folder, "none");
    const refused = await writeBackup(join(place, "x.tar"), ABOUT, ENTRIES).catch(String);
    expect(refused).to.equal(`Error: ${place}: there is no such directory`);
  });

  it("gives back what was put into it, and is one that tar reads", async () => {
    const written = await writeBackup(path, ABOUT, ENTRIES);
    expect(await checkBackup(path)).to.deep.equal(written);
    const read: TarEntry[] = [];
    for await (const entry of readArchive(path)) read.push(entry);
    expect(read.slice(0, -1)).to.deep.equal(ENTRIES);
    execFileSync("tar", ["-xf", path, "-C", folder]);
    expect((await readFile(join(folder, LONG))).equals(Buffer.alloc(1000, 7))).to.equal(true);
    // Nothing is left of the making.
    expect((await readdir(folder)).sort()).to.deep.equal([
      "backup.tar",
      "manifest.json",
      "meta",
      "registry.record",
    ]);
  });

  it("is refused when it is cut off anywhere", async () => {
    await writeBackup(path, ABOUT, ENTRIES);
    const whole = await readFile(path);
    // The end marks may be cut: everything is there.
    for (let cut = 0; cut < whole.length - 1024; cut += 97) {
      await writeFile(path, whole.subarray(0, cut));
      expect(await errorOf(), `cut at ${cut}`).to.not.equal("sound");
    }
  });

  it("is refused, or says the same, with any byte changed", async () => {
    const written = await writeBackup(path, ABOUT, ENTRIES);
    const whole = await readFile(path);
    const random = new SeededRandom(3);
    for (let i = 0; i < 300; i++) {
      const damaged = Buffer.from(whole);
      const offset = Math.floor(random.next() * whole.length);
      damaged.writeUInt8(damaged.readUInt8(offset) ^ (1 << (i % 8)), offset);
      await writeFile(path, damaged);
      const manifest = await checkBackup(path).catch(() => undefined);
      // The manifest itself has no checksum: what it says of the files is held against them.
      if (manifest !== undefined) expect(manifest.entries, `byte ${offset}`).to.deep.equal(written.entries);
    }
  });

  it("of a later form is refused, naming the version that reads it", async () => {
    const manifest = JSON.stringify({ format: 2, version: "9.0.0", anything: true });
    await writeFile(path, tarArchive([{ name: "manifest.json", content: manifest }]));
    expect(await errorOf()).to.equal(
      "it has format 2, this program reads format 1; use Tepui 9.0.0 or later",
    );
  });

  const hash = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
  const file = (name: string) => ({ kind: "file", path: name, mode: 0o644, bytes: 3, sha256: hash });
  for (const [title, name] of [
    ["leads out of the directory", "../foo"],
    ["is absolute", "/foo"],
    ["lies in no directory of the archive", "meta/x/foo"],
  ] as const) {
    it(`is refused when a path ${title}`, async () => {
      const manifest = JSON.stringify({ ...ABOUT, entries: [file(name)] });
      await writeFile(
        path,
        tarArchive([
          { name, content: "foo" },
          { name: "manifest.json", content: manifest },
        ]),
      );
      expect(await errorOf()).to.equal(`'${name}' is no path within a backup`);
    });
  }

  it("is refused when a file lies below a link", async () => {
    const link = { kind: "link", path: "meta", target: "/etc" };
    const manifest = JSON.stringify({ ...ABOUT, entries: [link, file("meta/foo")] });
    await writeFile(
      path,
      tarArchive([
        { name: "meta", type: "2", target: "/etc" },
        { name: "meta/foo", content: "foo" },
        { name: "manifest.json", content: manifest },
      ]),
    );
    expect(await errorOf()).to.equal("'meta/foo' is no path within a backup");
  });

  it("says what is no backup at all", async () => {
    await writeFile(path, tarArchive([{ name: "foo", content: "bar" }]));
    expect(await errorOf()).to.equal("it has no manifest.json: it is no backup, or not a whole one");
    await writeFile(path, Buffer.alloc(4096, 1));
    expect(await errorOf()).to.equal("there is no archive's header at byte 0");
  });
});
