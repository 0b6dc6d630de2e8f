import { Readable } from "node:stream";
import { expect } from "chai";
import fc from "fast-check";
import { ByteReader } from "../../../plugins/docker-image-store/tar/byte-reader.js";
import type { TarEntry } from "../../../plugins/docker-image-store/tar/entry.js";
import { LayerRewriter } from "../../../plugins/docker-image-store/tar/layer-rewriter.js";
import { TarReader } from "../../../plugins/docker-image-store/tar/tar-reader.js";
import { END, formatEntry, formatPadding } from "../../../plugins/docker-image-store/tar/tar-writer.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { type ArchiveEntry, tarArchive } from "../../support/tar-archive.js";

interface Read {
  readonly entry: TarEntry;
  readonly content: string;
}

/** In pieces of any size. */
async function read(archive: Buffer, piece = archive.length): Promise<Read[]> {
  const pieces = Array.from({ length: Math.ceil(archive.length / piece) }, (_, index) =>
    archive.subarray(index * piece, (index + 1) * piece),
  );
  const reader = new TarReader(new ByteReader(Readable.from(pieces)));
  const found: Read[] = [];
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    const parts: Buffer[] = [];
    for (let part = await reader.content(); part !== undefined; part = await reader.content())
      parts.push(part);
    found.push({ entry, content: Buffer.concat(parts).toString("latin1") });
  }
  return found;
}

const bytes = (max: number): fc.Arbitrary<string> =>
  fc
    .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: max })
    .map((codes) => String.fromCharCode(...codes))
    .filter((name) => !name.endsWith("/"));
const number = (max: number): fc.Arbitrary<number> => fc.oneof(fc.integer({ min: 0, max }), fc.constant(max));
const anyEntry: fc.Arbitrary<TarEntry> = fc
  .record({
    type: fc.constantFrom<TarEntry["type"]>(
      "file",
      "hard-link",
      "symlink",
      "character",
      "block",
      "directory",
      "fifo",
    ),
    path: bytes(300),
    target: bytes(300),
    mode: number(0o7777),
    uid: number(2 ** 40),
    gid: number(2 ** 40),
    mtime: fc.oneof(number(2 ** 40).map(String), fc.constant("1700000000.123456789")),
    size: fc.integer({ min: 0, max: 2000 }),
    major: number(4095),
    minor: number(2 ** 20 - 1),
    xattrs: fc
      .array(
        fc.tuple(
          fc.constantFrom("user.a", "user.b", "security.capability"),
          fc.uint8Array({ maxLength: 50 }),
        ),
      )
      .map((pairs) => new Map(pairs.map(([name, value]) => [name, Buffer.from(value)]))),
  })
  .map((entry) => ({
    ...entry,
    size: entry.type === "file" ? entry.size : 0,
    target: entry.type.endsWith("link") ? entry.target : "",
    ...(entry.type !== "character" && entry.type !== "block" && { major: 0, minor: 0 }),
  }));

describe("archives", () => {
  it("come back as they were written, in pieces of any size", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyEntry, { maxLength: 6 }),
        fc.integer({ min: 1, max: 3000 }),
        async (entries, piece) => {
          const archive = Buffer.concat([
            ...entries.flatMap((entry) => [
              formatEntry(entry),
              Buffer.alloc(entry.size, entry.path[0]!, "latin1"),
              formatPadding(entry.size),
            ]),
            END,
          ]);
          const found = await read(archive, piece);
          expect(found.map(({ entry }) => entry)).to.deep.equal(entries);
          expect(found.map(({ content }) => content.length)).to.deep.equal(entries.map(({ size }) => size));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("may be anything without making the reader crash", async () => {
    const base = tarArchive([
      { name: "a", content: "x".repeat(700), pax: { mtime: "1.5" } },
      { name: "n".repeat(200), type: "2", target: "t".repeat(200) },
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(base.length),
        async (changes, length) => {
          const archive = Buffer.from(base);
          for (const [at, byte] of changes) archive[at] = byte;
          try {
            await read(archive.subarray(0, length));
          } catch (error) {
            expect(isTepuiError(error), String(error)).to.equal(true);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("never lead out, however their links lie", async () => {
    const name = fc
      .array(fc.constantFrom("a", "b", "c", ".", "/"), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join("/"));
    const target = fc
      .array(fc.constantFrom("a", "b", "c", "..", "../..", "/"), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join("/"));
    const entry: fc.Arbitrary<ArchiveEntry> = fc.record({
      name,
      target,
      type: fc.constantFrom("0", "1", "2", "2", "5"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 12 }), async (entries) => {
        const rewriter = new LayerRewriter();
        const links = new Set<string>();
        const out: TarEntry[] = [];
        try {
          for (const { entry: found } of await read(tarArchive(entries)))
            out.push(...rewriter.rewrite(found));
          out.push(...rewriter.finish());
        } catch (error) {
          expect(isTepuiError(error), String(error)).to.equal(true);
        }
        for (const { path, type, target: to } of out) {
          for (const way of type === "hard-link" ? [path, to] : [path]) {
            const parts = way.split("/");
            expect(parts).not.to.include("..");
            expect(way.startsWith("/")).to.equal(false);
            // Nothing is written, or linked to, by way of a link.
            for (let end = 1; end < parts.length; end++) {
              expect(links.has(parts.slice(0, end).join("/")), `${way} in ${JSON.stringify(out)}`).to.equal(
                false,
              );
            }
          }
          if (type === "symlink") links.add(path);
          else links.delete(path);
        }
      }),
      { numRuns: 500 },
    );
  });
});
