import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { unpackLayer } from "../../../plugins/docker-image-store/unpack-layer.js";
import { BindBackend } from "../../../plugins/rootfs-backends/bind-backend.js";
import { CopyBackend } from "../../../plugins/rootfs-backends/copy-backend.js";
import { OverlayBackend } from "../../../plugins/rootfs-backends/overlay-backend.js";
import type { RootFilesystem } from "../../../sdk/contracts/contribution.js";
import type { RootfsBackend } from "../../../sdk/contracts/image.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { SystemRandom } from "../../../sdk/contracts/system-random.js";
import { hostMounts } from "../../support/host-mounts.js";
import { requirePart, requireThat } from "../../support/require-part.js";
import { type ArchiveEntry, tarArchive } from "../../support/tar-archive.js";

const never = new AbortController().signal;
/** Of all tests of this process. */
const RUNTIME = `/tmp/tepui-backends-run-${process.pid}`;
const overlay = new OverlayBackend(new SystemRandom(), RUNTIME);
const copy = new CopyBackend();
const bind = new BindBackend(new MetricsRegistry(new SystemClock()).counter("errors"));

describe("backends of root file systems", () => {
  let directory: string;
  let count = 0;

  before(function () {
    requireThat(this, process.geteuid?.() === 0, "mounting takes root");
    requirePart(this, "unshare", "util-linux");
  });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-backends-"));
  });

  after(() => rm(RUNTIME, { recursive: true, force: true }));

  afterEach(async () => {
    // What a failed test has left has links elsewhere.
    for (const entry of await readdir(directory)) {
      if (entry.startsWith("own")) await overlay.remove(join(directory, entry));
    }
    await rm(directory, { recursive: true, force: true });
  });

  async function layer(entries: readonly ArchiveEntry[]): Promise<string> {
    const path = join(directory, `layer${count++}`);
    const file = `${path}.tar`;
    await mkdir(path, { mode: 0o755 });
    await writeFile(file, tarArchive(entries));
    await unpackLayer({ file, directory: path, maxBytes: 1e9, signal: never });
    return path;
  }

  async function create(
    backend: RootfsBackend,
    layers: readonly string[],
  ): Promise<RootFilesystem & { own: string }> {
    const own = join(directory, `own${count++}`);
    await mkdir(own);
    return { ...(await backend.create({ layers, directory: own, signal: never })), own };
  }

  /** What a container would see: the script runs where its root file system is mounted, in a namespace of its own. */
  function inside({ path, mounts }: RootFilesystem, script: string): string {
    const lines = mounts.map(({ source, target, type, options = [] }) =>
      type === undefined
        ? `mount --bind '${source}' '${target}' && mount -o remount,${options.join(",")} '${target}'`
        : `mount -t ${type} -o '${options.join(",")}' '${source}' '${target}'`,
    );
    const whole = [...lines, `cd '${path}'`, script].join(" && ");
    return execFileSync("unshare", ["--mount", "--propagation", "private", "sh", "-c", whole], {
      encoding: "utf8",
    });
  }

  // Whiteouts in a directory that no lower layer has can be read by name, and are not there: find says so.
  const LIST =
    "find . 2> /dev/null ! -name . -printf '%p %y %m %U:%G %l\\n' | sed 's/ *$//' | sort; for f in $(find . -type f 2> /dev/null | sort); do echo $f $(cat $f); done";

  const base: ArchiveEntry[] = [
    { name: "./", type: "5", mode: 0o755 },
    { name: "dir/", type: "5", mode: 0o711 },
    { name: "dir/kept", content: "base" },
    { name: "dir/changed", content: "base", mode: 0o600, uid: 5 },
    { name: "dir/gone", content: "base" },
    { name: "opaque/", type: "5" },
    { name: "opaque/old", content: "base" },
    { name: "one", content: "same" },
    { name: "two", type: "1", target: "one" },
    { name: "was-dir/", type: "5" },
    { name: "was-dir/in", content: "base" },
    { name: "was-link", type: "2", target: "dir" },
    { name: "was-file", content: "base" },
    { name: "link-to-file", type: "2", target: "one" },
  ];
  const top: ArchiveEntry[] = [
    { name: "./", type: "5", mode: 0o750, uid: 3 },
    { name: "dir/", type: "5", mode: 0o711 },
    { name: "dir/changed", content: "top" },
    { name: "dir/.wh.gone" },
    { name: "dir/new", content: "top" },
    { name: "opaque/", type: "5", mode: 0o700 },
    { name: "opaque/.wh..wh..opq" },
    { name: "opaque/new", content: "top" },
    { name: "two", content: "changed alone" },
    { name: "was-dir", content: "top" },
    { name: "was-link/", type: "5" },
    { name: "was-link/in", content: "top" },
    { name: "was-file/", type: "5" },
    { name: "was-file/in", content: "top" },
    { name: "link-to-file", content: "no link" },
  ];

  for (const [name, backend] of [
    ["overlay", overlay],
    ["copy", copy],
  ] as const) {
    describe(name, () => {
      it("can be used here", async () => {
        expect(await backend.unusable(directory)).to.equal(undefined);
        expect(await readdir(directory)).to.deep.equal([]);
      });

      it("lays layers over one another, and hides what they remove", async () => {
        const made = await create(backend, [await layer(base), await layer(top)]);
        const seen = inside(made, `stat -c '%a %u' . && ${LIST}`);
        expect(seen.trim().split("\n")).to.deep.equal([
          "750 3",
          "./dir d 711 0:0",
          "./dir/changed f 644 0:0",
          "./dir/kept f 644 0:0",
          "./dir/new f 644 0:0",
          "./link-to-file f 644 0:0",
          "./one f 644 0:0",
          "./opaque d 700 0:0",
          "./opaque/new f 644 0:0",
          "./two f 644 0:0",
          "./was-dir f 644 0:0",
          "./was-file d 755 0:0",
          "./was-file/in f 644 0:0",
          "./was-link d 755 0:0",
          "./was-link/in f 644 0:0",
          "./dir/changed top",
          "./dir/kept base",
          "./dir/new top",
          "./link-to-file no link",
          "./one same",
          "./opaque/new top",
          "./two changed alone",
          "./was-dir top",
          "./was-file/in top",
          "./was-link/in top",
        ]);
        await backend.remove(made.own);
      });

      it("keeps what is written away from the layers and from others", async () => {
        const lower = await layer(base);
        const [one, two] = [await create(backend, [lower]), await create(backend, [lower])];
        inside(one, "echo mine > dir/kept && echo mine > fresh && rm one && rm -r opaque");
        expect(inside(two, "cat dir/kept one && ls"))
          .to.match(/^basesame/)
          .and.not.match(/fresh/);
        expect(await readFile(join(lower, "dir/kept"), "utf8")).to.equal("base");
        expect((await readdir(lower)).sort())
          .to.include("opaque")
          .and.not.include("fresh");
        await backend.remove(one.own);
        await backend.remove(two.own);
      });

      it("removes everything that it made, also twice, also half made, and mounts nothing on the host", async () => {
        const mounts = hostMounts(directory);
        const made = await create(backend, [await layer(base), await layer(top)]);
        inside(made, "mkdir -p a/b && touch a/b/c");
        const found = await readlink(join(made.own, "links")).catch(() => undefined);
        expect(found === undefined).to.equal(backend === copy);
        expect(hostMounts(directory)).to.deep.equal(mounts);
        await backend.remove(made.own);
        await backend.remove(made.own);
        if (found !== undefined) {
          expect(dirname(found)).to.equal(join(RUNTIME, "links"));
          expect(existsSync(found)).to.equal(false);
        }
        const abort = new AbortController();
        abort.abort(new Error("enough"));
        const half = join(directory, "half");
        await mkdir(half);
        const going = backend.create({ layers: [await layer(base)], directory: half, signal: abort.signal });
        expect(
          await going.then(
            () => "made",
            (error: Error) => error.message,
          ),
        ).to.equal("enough");
        await backend.remove(half);
        expect(
          (await readdir(directory)).filter((entry) => entry === "half" || entry.startsWith("own")),
        ).to.deep.equal([]);
        expect(await readdir(join(RUNTIME, "links")).catch(() => [])).to.deep.equal([]);
      });
    });
  }

  it("overlay takes as many layers as images can have", async () => {
    const layers: string[] = [];
    for (let at = 0; at < 127; at++) {
      const path = join(directory, `${"long".repeat(20)}-${at}`);
      await mkdir(path);
      await writeFile(join(path, `file${at}`), "");
      layers.push(path);
    }
    const made = await create(overlay, layers);
    expect(made.mounts[0]!.options!.join(",").length).to.be.lessThan(4096);
    expect(inside(made, "ls | wc -l").trim()).to.equal("127");
    await overlay.remove(made.own);
    const more = create(overlay, [...layers, ...layers, ...layers]);
    expect(
      await more.then(
        () => "made",
        (error: Error) => error.message,
      ),
    ).to.match(/more than overlayfs can stack/);
  });

  it("overlay removes nothing behind a link in place of its own", async () => {
    const other = join(directory, "other");
    await mkdir(other);
    await writeFile(join(other, "file"), "");
    const made = await create(overlay, [await layer(base)]);
    const links = await readlink(join(made.own, "links"));
    await rm(links, { recursive: true });
    await symlink(other, links);
    await overlay.remove(made.own);
    expect(await readdir(other)).to.deep.equal(["file"]);
    expect(existsSync(links)).to.equal(false);
    const fresh = await create(overlay, [await layer(base)]);
    await rm(join(fresh.own, "links"));
    await symlink(other, join(fresh.own, "links"));
    await overlay.remove(fresh.own);
    expect(await readdir(other)).to.deep.equal(["file"]);
    await rm(RUNTIME, { recursive: true });
  });

  it("overlay does not mind commas and colons in names", async () => {
    const odd = join(directory, "a,b:c=d\\e f");
    await mkdir(join(odd, "own"), { recursive: true });
    const lower = join(odd, "layer");
    await mkdir(lower);
    await writeFile(join(lower, "file"), "");
    const made = await overlay.create({ layers: [lower], directory: join(odd, "own"), signal: never });
    const { options = [] } = made.mounts[0]!;
    expect(options.join()).not.to.match(/a,b|c=d/);
    await overlay.remove(join(odd, "own"));
  });

  it("overlay says why it cannot be used: on an overlay, where nothing can be made", async () => {
    const [lower, upper, work, merged] = ["lower", "upper", "work", "merged"].map((name) =>
      join(directory, name),
    );
    for (const path of [lower!, upper!, work!, merged!]) await mkdir(path);
    execFileSync("mount", [
      "-t",
      "overlay",
      "-o",
      `lowerdir=${lower},upperdir=${upper},workdir=${work}`,
      "overlay",
      merged!,
    ]);
    try {
      expect(await overlay.unusable(merged!)).to.match(
        /cannot be stacked on '.*merged', which is on overlay/,
      );
    } finally {
      execFileSync("umount", [merged!]);
    }
    const missing = await overlay.unusable(join(directory, "none")).catch((error: Error) => error.message);
    expect(missing).to.match(/ENOENT/);
  });

  it("overlay and copy show the same, whatever the layers do", async function () {
    this.timeout(60_000);
    const name = fc.constantFrom("a", "b", "a/a", "a/b", "b/a", "a/a/a");
    const kind = fc.constantFrom("file", "file", "dir", "link", "whiteout", "opaque");
    const anyLayer = fc.array(fc.tuple(name, kind, fc.integer({ min: 0, max: 9 })), {
      minLength: 1,
      maxLength: 6,
    });
    const entriesOf = (things: readonly (readonly [string, string, number])[]): ArchiveEntry[] => {
      const entries: ArchiveEntry[] = [];
      const kinds = new Map<string, string>();
      for (const [path, what, number] of things) {
        const parts = path.split("/");
        // Builders write no archive in which one name is two things, nor one that goes through a file.
        const above = parts.slice(0, -1).map((_, at) => parts.slice(0, at + 1).join("/"));
        if (above.some((parent) => !["dir", undefined].includes(kinds.get(parent)))) continue;
        const own = what === "opaque" ? "dir" : what;
        if (kinds.has(path) && kinds.get(path) !== own) continue;
        for (const parent of above) {
          if (!kinds.has(parent)) entries.push({ name: `${parent}/`, type: "5" });
          kinds.set(parent, "dir");
        }
        kinds.set(path, own);
        const before = path.slice(0, path.lastIndexOf("/") + 1);
        if (what === "file") entries.push({ name: path, content: `file ${number}`, mode: 0o600 + number });
        if (what === "dir" || what === "opaque")
          entries.push({ name: `${path}/`, type: "5", mode: 0o700 + number });
        if (what === "opaque") entries.push({ name: `${path}/.wh..wh..opq` });
        if (what === "link")
          entries.push({ name: path, type: "2", target: ["a", "b", "/a", "..", "a/a"][number % 5]! });
        if (what === "whiteout") entries.push({ name: `${before}.wh.${parts.at(-1)}` });
      }
      return entries;
    };
    await fc.assert(
      fc.asyncProperty(fc.array(anyLayer, { minLength: 2, maxLength: 4 }), async (things) => {
        const layers: string[] = [];
        for (const one of things) layers.push(await layer(entriesOf(one)));
        const [over, copied] = [await create(overlay, layers), await create(copy, layers)];
        expect(inside(copied, LIST)).to.equal(inside(over, LIST));
        await overlay.remove(over.own);
        await copy.remove(copied.own);
      }),
      { numRuns: 12 },
    );
  });

  it("copy keeps the times of directories from which a layer removes something", async () => {
    const lower = await layer([
      { name: "dir/", type: "5" },
      { name: "dir/gone", content: "x" },
    ]);
    const upper = await layer([{ name: "dir/", type: "5", mtime: 1_600_000_000 }, { name: "dir/.wh.gone" }]);
    const made = await create(copy, [lower, upper]);
    expect(await readdir(join(made.path, "dir"))).to.deep.equal([]);
    expect((await lstat(join(made.path, "dir"))).mtimeMs).to.equal(1_600_000_000_000);
  });

  it("copy keeps attributes, devices and links, and ends with all that it started", async () => {
    const lower = await layer([
      { name: "one", content: "x", xattrs: { "user.note": "yes" }, mode: 0o4711, uid: 8 },
      { name: "two", type: "1", target: "one" },
      { name: "null", type: "3", device: [1, 3] },
      { name: "large", content: Buffer.alloc(30_000_000, "x") },
    ]);
    const made = await create(copy, [lower]);
    const [one, two] = [await lstat(join(made.path, "one")), await lstat(join(made.path, "two"))];
    expect([one.ino, one.mode & 0o7777, one.uid]).to.deep.equal([two.ino, 0o4711, 8]);
    expect((await lstat(join(made.path, "null"))).rdev).to.equal(0x103);
    expect(
      execFileSync("getfattr", ["-n", "user.note", "--absolute-names", join(made.path, "one")], {
        encoding: "utf8",
      }),
    ).to.match(/yes/);
    const abort = new AbortController();
    const half = join(directory, "half");
    await mkdir(half);
    const going = copy.create({ layers: Array(50).fill(lower), directory: half, signal: abort.signal });
    abort.abort(new Error("enough"));
    expect(
      await going.then(
        () => "made",
        (error: Error) => error.message,
      ),
    ).to.equal("enough");
    await copy.remove(half);
    const ps = spawn("pgrep", ["-f", half]);
    expect(await new Promise((resolve) => ps.once("close", resolve))).to.equal(1);
  });

  it("bind gives one layer, which cannot be written", async () => {
    expect(await bind.unusable(directory)).to.equal(undefined);
    const lower = await layer(base);
    const made = await create(bind, [lower]);
    expect(inside(made, "cat dir/kept; touch x 2>&1 || true")).to.match(/base.*Read-only/s);
    await bind.remove(made.own);
    expect((await lstat(lower)).isDirectory()).to.equal(true);
    const many = create(bind, [lower, lower]);
    expect(
      await many.then(
        () => "made",
        (error: Error) => error.message,
      ),
    ).to.match(/has 2 layers, .* one only/);
  });
});
