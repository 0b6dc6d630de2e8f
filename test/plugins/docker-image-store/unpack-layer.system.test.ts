import { execFileSync } from "node:child_process";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { unpackLayer } from "../../../plugins/docker-image-store/unpack-layer.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { sha256 } from "../../support/image-builder.js";
import { findProgram, requirePart, requireThat } from "../../support/require-part.js";
import { type ArchiveEntry, tarArchive } from "../../support/tar-archive.js";

describe("layers of images, unpacked", () => {
  let directory: string;
  let outside: string;
  let root: string;

  before(function () {
    requireThat(this, process.geteuid?.() === 0, "unpacking for all owners takes root");
    requirePart(this, "getfattr", "attr");
  });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-layer-"));
    outside = join(directory, "outside");
    root = join(directory, "root");
    await mkdir(outside);
    await writeFile(join(outside, "file"), "untouched");
    await mkdir(root, { mode: 0o755 });
  });

  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function unpack(
    entries: readonly ArchiveEntry[] | Buffer,
    options: { maxBytes?: number; signal?: AbortSignal; compress?: (tar: Buffer) => Buffer } = {},
  ): Promise<string> {
    const { compress = gzipSync, maxBytes = 1e9, signal = new AbortController().signal } = options;
    const file = join(directory, "blob");
    await writeFile(file, compress(Buffer.isBuffer(entries) ? entries : tarArchive(entries)));
    return unpackLayer({ file, directory: root, maxBytes, signal });
  }

  const problem = (...args: Parameters<typeof unpack>): Promise<string> =>
    unpack(...args).then(
      () => "unpacked",
      (error: unknown) => (isTepuiError(error) ? `${error.code} ${error.message}` : String(error)),
    );

  const attributes = (path: string): string =>
    execFileSync("getfattr", ["-h", "-d", "-m", "-", "--absolute-names", join(root, path)], {
      encoding: "utf8",
    });

  it("keeps owners, modes, times, kinds and long names", async () => {
    const long = `${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(120)}`;
    const entries: ArchiveEntry[] = [
      { name: "./", type: "5", mode: 0o711, uid: 7, gid: 8 },
      { name: "dir/", type: "5", mode: 0o1777 },
      { name: "dir/suid", mode: 0o4755, uid: 1234, gid: 4321, content: "x".repeat(1000) },
      { name: "dir/same", type: "1", target: "dir/suid" },
      { name: "dir/link", type: "2", target: "/outside/of/everything" },
      { name: "dir/null", type: "3", mode: 0o666, device: [1, 3] },
      { name: "dir/pipe", type: "6" },
      { name: "dir/h\xc3\xa9llo \n\xff", content: "name of bytes" },
      { name: long, content: "far down" },
      { name: "dir/link2", type: "2", target: `/${"t".repeat(300)}` },
      { name: "dir/precise", pax: { mtime: "1234567890.25", uid: "3000000" } },
    ];
    expect(await unpack(entries)).to.equal(sha256(tarArchive(entries)));
    const top = await lstat(root);
    expect([top.mode & 0o7777, top.uid, top.gid]).to.deep.equal([0o711, 7, 8]);
    expect((await lstat(join(root, "dir"))).mode & 0o7777).to.equal(0o1777);
    const suid = await lstat(join(root, "dir/suid"));
    expect([suid.mode & 0o7777, suid.uid, suid.gid, suid.size, suid.mtimeMs, suid.nlink]).to.deep.equal([
      0o4755, 1234, 4321, 1000, 1_500_000_000_000, 2,
    ]);
    expect((await lstat(join(root, "dir/same"))).ino).to.equal(suid.ino);
    expect(await readlink(join(root, "dir/link"))).to.equal("/outside/of/everything");
    expect((await readlink(join(root, "dir/link2"))).length).to.equal(301);
    const device = await lstat(join(root, "dir/null"));
    expect([device.isCharacterDevice(), device.rdev, device.mode & 0o777]).to.deep.equal([
      true,
      0x103,
      0o666,
    ]);
    expect((await lstat(join(root, "dir/pipe"))).isFIFO()).to.equal(true);
    expect(await readFile(join(root, long), "utf8")).to.equal("far down");
    const odd = (await readdir(join(root, "dir"), { encoding: "buffer" })).map((name) =>
      name.toString("latin1"),
    );
    expect(odd).to.include("h\xc3\xa9llo \n\xff");
    const precise = await lstat(join(root, "dir/precise"));
    expect([precise.mtimeMs, precise.uid]).to.deep.equal([1_234_567_890_250, 3_000_000]);
  });

  it("keeps capabilities and user attributes, and none that overlayfs would obey", async () => {
    const capability = Buffer.from("0100000200040000000000000000000000000000", "hex").toString("latin1");
    await unpack([
      {
        name: "ping",
        mode: 0o755,
        xattrs: {
          "security.capability": capability,
          "user.note": "kept",
          "trusted.overlay.redirect": "/etc",
          "trusted.other": "x",
        },
      },
    ]);
    expect(attributes("ping"))
      .to.match(/security\.capability=/)
      .and.to.match(/user\.note="kept"/);
    expect(attributes("ping")).not.to.match(/trusted/);
  });

  it("turns whiteouts into overlayfs's own", async () => {
    await unpack([
      { name: "a/", type: "5", mode: 0o700 },
      { name: "a/.wh..wh..opq" },
      { name: "a/kept", content: "new" },
      { name: "a/.wh.already-hidden" },
      { name: "b/", type: "5" },
      { name: "b/.wh.gone" },
      { name: "deep/er/.wh.file" },
      { name: ".wh.remade" },
      { name: "remade/", type: "5", mode: 0o750, uid: 5 },
      { name: "remade/inside" },
      { name: ".wh..wh.plnk/", type: "5" },
      { name: "replaced", content: "by a file" },
      { name: ".wh.replaced" },
    ]);
    const isWhiteout = async (path: string): Promise<boolean> => {
      const stat = await lstat(join(root, path));
      return stat.isCharacterDevice() && stat.rdev === 0;
    };
    expect((await readdir(root)).sort()).to.deep.equal(["a", "b", "deep", "remade", "replaced"]);
    expect((await readdir(join(root, "a"))).sort()).to.deep.equal(["kept"]);
    expect(await isWhiteout("b/gone")).to.equal(true);
    expect(await isWhiteout("deep/er/file")).to.equal(true);
    expect(attributes("a")).to.match(/trusted\.overlay\.opaque="y"/);
    expect((await lstat(join(root, "a"))).mode & 0o777).to.equal(0o700);
    const remade = await lstat(join(root, "remade"));
    expect([remade.mode & 0o777, remade.uid]).to.deep.equal([0o750, 5]);
    expect(attributes("remade")).to.match(/trusted\.overlay\.opaque="y"/);
    expect(attributes("deep")).not.to.match(/opaque/);
    expect(await readFile(join(root, "replaced"), "utf8")).to.equal("by a file");
  });

  it("lets what lies behind a link lie where the link leads inside", async () => {
    await unpack([
      { name: "usr/lib/", type: "5" },
      { name: "lib", type: "2", target: "usr/lib" },
      { name: "abs", type: "2", target: "/usr/lib" },
      { name: "lib/one", content: "1" },
      { name: "abs/two", content: "2" },
      { name: "abs/same", type: "1", target: "lib/one" },
      { name: "up", type: "2", target: "../../../usr" },
      { name: "up/local/three", content: "3" },
      { name: "dangling", type: "2", target: "not/yet" },
      { name: "dangling/four", content: "4" },
    ]);
    expect(await readlink(join(root, "lib"))).to.equal("usr/lib");
    expect((await readdir(join(root, "usr/lib"))).sort()).to.deep.equal(["one", "same", "two"]);
    expect(await readFile(join(root, "usr/local/three"), "utf8")).to.equal("3");
    expect(await readFile(join(root, "not/yet/four"), "utf8")).to.equal("4");
  });

  describe("an archive that wants out", () => {
    const untouched = async (): Promise<void> => {
      expect(await readFile(join(outside, "file"), "utf8")).to.equal("untouched");
      expect(await readdir(outside)).to.deep.equal(["file"]);
    };
    const cases: readonly (readonly [string, () => ArchiveEntry[]])[] = [
      ["by '..'", () => [{ name: "../outside/new", content: "x" }]],
      ["by '..' in the middle", () => [{ name: "a/../../outside/new", content: "x" }]],
      ["by an absolute name", () => [{ name: `${outside}/new`, content: "x" }]],
      [
        "through a link to a directory",
        () => [
          { name: "door", type: "2", target: outside },
          { name: "door/new", content: "x" },
          { name: "door/file", content: "x" },
        ],
      ],
      [
        "through a relative link",
        () => [
          { name: "door", type: "2", target: "../outside" },
          { name: "door/file", content: "x" },
        ],
      ],
      [
        "through a link to a file",
        () => [
          { name: "door", type: "2", target: `${outside}/file` },
          { name: "door", content: "x" },
        ],
      ],
      [
        "by a link that is a link",
        () => [
          { name: "one", type: "2", target: ".." },
          { name: "two", type: "2", target: "one/outside" },
          { name: "two/file", content: "x" },
        ],
      ],
      [
        "by a hard link to a file",
        () => [
          { name: "same", type: "1", target: `${outside}/file` },
          { name: "same", content: "x" },
        ],
      ],
      [
        "by a hard link through a link",
        () => [
          { name: "door", type: "2", target: outside },
          { name: "same", type: "1", target: "door/file" },
          { name: "same", content: "x" },
        ],
      ],
      [
        "by a hard link to a link",
        () => [
          { name: "door", type: "2", target: outside },
          { name: "again", type: "1", target: "door" },
          { name: "again/file", content: "x" },
        ],
      ],
      [
        "by a directory in place of a link",
        () => [
          { name: "door", type: "2", target: outside },
          { name: "door/", type: "5", mode: 0o777 },
          { name: "door/file", content: "x" },
        ],
      ],
      [
        "by a whiteout behind a link",
        () => [
          { name: "door", type: "2", target: outside },
          { name: "door/.wh.file" },
          { name: "door/.wh..wh..opq" },
        ],
      ],
      ["by a whiteout of the parent", () => [{ name: ".wh..." }]],
      [
        "by a name that only pax tells",
        () => [{ name: "harmless", content: "x", pax: { path: `../outside/new` } }],
      ],
      [
        "by a link that only pax tells",
        () => [
          { name: "door", type: "2", target: "here", pax: { linkpath: outside } },
          { name: "door/new", content: "x" },
        ],
      ],
    ];
    for (const [name, entries] of cases) {
      it(`stays inside: ${name}`, async () => {
        await problem(entries());
        await untouched();
      });
    }

    it("is refused where it says '..'", async () => {
      expect(await problem([{ name: "a/../../b" }])).to.match(/TEPUI_IMAGE_INVALID .*leads out/);
      expect(await problem([{ name: "a" }, { name: "b", type: "1", target: "../a" }])).to.match(/leads out/);
    });
  });

  describe("an archive that is no good", () => {
    it("is refused when it is cut off", async () => {
      const tar = tarArchive([{ name: "a", content: "x".repeat(2000) }]);
      expect(await problem(tar.subarray(0, 1500))).to.match(/TEPUI_IMAGE_INVALID .*ends in the middle/);
      expect(await problem(tar, { compress: (whole) => gzipSync(whole).subarray(0, 30) })).to.match(
        /TEPUI_IMAGE_INVALID .*damaged/,
      );
    });

    it("is refused when it is none", async () => {
      expect(await problem(Buffer.alloc(5000, "text "))).to.match(/TEPUI_IMAGE_INVALID .*no tar archive/);
    });

    it("is refused when it is too large, and stops there", async () => {
      const bomb = tarArchive([{ name: "zeroes", content: Buffer.alloc(5_000_000) }]);
      expect(await problem(bomb, { maxBytes: 1_000_000 })).to.match(/larger than 1000000 bytes/);
    });

    it("is refused for what no layer holds: sparse files, unknown kinds, endless links, sizes that are none", async () => {
      expect(await problem([{ name: "s", type: "S" }])).to.match(/sparse/);
      expect(await problem([{ name: "s", pax: { "GNU.sparse.major": "1" } }])).to.match(/sparse/);
      expect(await problem([{ name: "s", type: "V" }])).to.match(/unknown kind/);
      expect(await problem([{ name: "s", pax: { size: "-5" } }])).to.match(/malformed number/);
      const circle = [
        { name: "a", type: "2", target: "b" },
        { name: "b", type: "2", target: "a" },
        { name: "a/x", content: "x" },
      ];
      expect(await problem(circle)).to.match(/never end/);
    });

    it("is refused with a compression of long ago", async () => {
      expect(await problem(Buffer.from("x"), { compress: () => Buffer.from("BZh91AY&SY") })).to.match(
        /bzip2/,
      );
    });
  });

  it("reads zstd", async function () {
    const zstd = requirePart(this, "zstd", "zstd");
    const entries = [{ name: "file", content: "x".repeat(100_000) }];
    const compress = (tar: Buffer): Buffer => execFileSync(zstd, ["-qc"], { input: tar });
    expect(await unpack(entries, { compress })).to.equal(sha256(tarArchive(entries)));
    expect((await lstat(join(root, "file"))).size).to.equal(100_000);
    const cut = (tar: Buffer): Buffer => compress(tar).subarray(0, 60);
    expect(await problem(entries, { compress: cut })).to.match(/TEPUI_IMAGE_INVALID .*zstd/);
  });

  it("stops when it is told to", async () => {
    const abort = new AbortController();
    abort.abort(new Error("enough"));
    expect(await problem([{ name: "a" }], { signal: abort.signal })).to.equal("Error: enough");
  });

  it("unpacks what other programs packed, as they do", async () => {
    const tar = findProgram("tar")!;
    const source = join(directory, "source");
    execFileSync("sh", [
      "-c",
      `mkdir -p ${source}/sub && cd ${source} && echo hello > sub/file && ln sub/file hard && ln -s sub/file soft && mkfifo pipe &&
       chmod 2755 sub && chown 42:43 hard && setfattr -n user.x -v y hard 2>/dev/null; true`,
    ]);
    for (const format of ["gnu", "pax", "ustar", "v7"]) {
      await rm(root, { recursive: true });
      await mkdir(root, { mode: 0o755 });
      const packed = execFileSync(tar, ["-C", source, `--format=${format}`, "--exclude=pipe", "-c", "."]);
      await unpack(packed);
      const listing = (at: string): string =>
        execFileSync(
          "sh",
          [
            "-c",
            `cd ${at} && find . ! -name pipe -printf '%p %y %m %U %G %n %l %s\\n' | grep -v ' d ' | sort`,
          ],
          {
            encoding: "utf8",
          },
        );
      expect(listing(root), format).to.equal(listing(source));
    }
  });
});
