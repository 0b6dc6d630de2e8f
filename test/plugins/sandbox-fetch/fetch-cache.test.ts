import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type CacheableFile, FetchCache } from "../../../plugins/sandbox-fetch/fetch-cache.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { eventually } from "../../support/eventually.js";

const NEVER = new AbortController().signal;

/** A file of so many bytes that counts its downloads and waits for a word before each. */
class Source implements CacheableFile {
  readonly name = "file.txt";
  downloads = 0;
  aborted = 0;
  said: number | Error;
  failure: Error | undefined;
  /** Set to keep downloads from finishing. */
  gate: Promise<void> = Promise.resolve();

  constructor(
    readonly key: string,
    readonly bytes: number,
  ) {
    this.said = bytes;
  }

  async size(): Promise<number> {
    if (this.said instanceof Error) throw this.said;
    return this.said;
  }

  async download(destination: string, signal: AbortSignal): Promise<void> {
    this.downloads++;
    await writeFile(destination, "x");
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        this.aborted++;
        reject(signal.reason);
      });
    });
    await Promise.race([this.gate, aborted]);
    if (this.failure !== undefined) throw this.failure;
    await writeFile(destination, "x".repeat(this.bytes));
  }
}

describe("the fetcher cache", () => {
  let directory: string;
  let cache: FetchCache;

  beforeEach(async () => {
    directory = join(await mkdtemp(join(tmpdir(), "tepui-cache-")), "agent");
    cache = new FetchCache({ directory, capacity: 100, logger: new MemoryLogger() });
    await cache.start();
  });

  afterEach(() => rm(join(directory, ".."), { recursive: true }));

  const take = async (source: Source): Promise<boolean> => {
    const file = await cache.get(source, NEVER);
    if (file !== undefined) expect((await stat(file.path)).size).to.equal(source.bytes);
    file?.release();
    return file !== undefined;
  };

  it("starts empty, whatever an earlier run left", async () => {
    await mkdir(join(directory, "old"), { recursive: true });
    await writeFile(join(directory, "old", "file"), "");
    await cache.start();
    expect(await readdir(directory)).to.deep.equal([]);
  });

  it("downloads once what is asked for again", async () => {
    const source = new Source("a", 10);
    expect([await take(source), await take(source)]).to.deep.equal([true, true]);
    expect(source.downloads).to.equal(1);
    expect(cache.usedBytes).to.equal(10);
  });

  it("downloads once what many ask for at once, and nobody can write to it", async () => {
    const source = new Source("a", 10);
    const files = await Promise.all(
      Array.from({ length: 20 }, () => cache.get(source, new AbortController().signal)),
    );
    expect(source.downloads).to.equal(1);
    expect(new Set(files.map((file) => file!.path)).size).to.equal(1);
    expect((await stat(files[0]!.path)).mode & 0o777).to.equal(0o444);
  });

  it("makes room by removing what was unused longest", async () => {
    const [a, b, c] = [new Source("a", 40), new Source("b", 40), new Source("c", 40)];
    await take(a);
    await take(b);
    await take(a);
    await take(c);
    expect(cache.usedBytes).to.equal(80);
    await take(a);
    expect(a.downloads).to.equal(1);
    await take(b);
    expect(b.downloads).to.equal(2);
  });

  it("never removes what is in use", async () => {
    const [a, b] = [new Source("a", 60), new Source("b", 60)];
    const held = await cache.get(a, NEVER);
    expect(await take(b), "no room").to.equal(false);
    expect(await readFile(held!.path, "utf8")).to.have.length(60);
    held!.release();
    expect(await take(b)).to.equal(true);
    expect(cache.usedBytes).to.equal(60);
  });

  it("does not take what is larger than itself, of unknown size, or empty", async () => {
    const large = new Source("large", 101);
    const unknown = new Source("unknown", 10);
    unknown.said = new Error("no idea");
    const empty = new Source("empty", 0);
    expect([await take(large), await take(unknown), await take(empty)]).to.deep.equal([false, false, false]);
    expect([large, unknown, empty].map(({ downloads }) => downloads)).to.deep.equal([0, 0, 0]);
    expect(cache.usedBytes).to.equal(0);
  });

  it("forgets a download that failed: it fails who asked first, and nobody later", async () => {
    const source = new Source("a", 10);
    source.failure = new Error("cut off");
    const both = await Promise.allSettled([cache.get(source, NEVER), cache.get(source, NEVER)]);
    expect(both.map(({ status }) => status)).to.deep.equal(["rejected", "fulfilled"]);
    expect(both[1]).to.have.property("value", undefined);
    expect(cache.usedBytes).to.equal(0);
    expect(await readdir(directory)).to.deep.equal([]);
    source.failure = undefined;
    expect(await take(source)).to.equal(true);
  });

  it("goes on with a download while anyone waits for it", async () => {
    const source = new Source("a", 10);
    let open = (): void => undefined;
    source.gate = new Promise((resolve) => {
      open = resolve;
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const gone = cache.get(source, first.signal).then(
      () => "there",
      () => "gone",
    );
    const stays = cache.get(source, second.signal);
    await eventually(() => (source.downloads === 1 ? true : undefined));
    first.abort();
    expect(await gone).to.equal("gone");
    open();
    expect((await stays)?.path).to.be.a("string");
    expect([source.downloads, source.aborted]).to.deep.equal([1, 0]);
  });

  it("ends a download that nobody waits for, and gives its room back", async () => {
    const source = new Source("a", 100);
    source.gate = new Promise(() => undefined);
    const abort = new AbortController();
    const gone = cache.get(source, abort.signal).catch(() => "gone");
    await eventually(() => (source.downloads === 1 ? true : undefined));
    abort.abort();
    expect(await gone).to.equal("gone");
    await eventually(() => (cache.usedBytes === 0 ? true : undefined));
    expect(source.aborted).to.equal(1);
    source.gate = Promise.resolve();
    expect(await take(source)).to.equal(true);
  });

  it("counts what files really have; one that outgrew the cache serves who waits, and goes", async () => {
    const grown = new Source("a", 60);
    grown.said = 10;
    await take(grown);
    expect(cache.usedBytes).to.equal(60);
    const huge = new Source("b", 150);
    huge.said = 10;
    expect(await take(huge)).to.equal(true);
    await eventually(() => (cache.usedBytes <= 60 ? true : undefined));
    await take(huge);
    expect(huge.downloads).to.equal(2);
  });

  it("downloads again what somebody removed or changed", async () => {
    const source = new Source("a", 10);
    const file = await cache.get(source, NEVER);
    file!.release();
    await rm(file!.path);
    expect(await take(source)).to.equal(true);
    const again = await cache.get(source, NEVER);
    again!.release();
    await chmod(again!.path, 0o644);
    await writeFile(again!.path, "short");
    expect(await take(source)).to.equal(true);
    expect(source.downloads).to.equal(3);
  });

  it("does without a directory that it cannot have", async () => {
    const file = join(directory, "file");
    await writeFile(file, "");
    const logger = new MemoryLogger();
    cache = new FetchCache({ directory: join(file, "below"), capacity: 100, logger });
    await cache.start();
    expect(await take(new Source("a", 10))).to.equal(false);
    expect(logger.lines.map(({ level }) => level)).to.deep.equal(["warn"]);
  });

  it("does without a directory that somebody else could replace", async () => {
    const open = join(directory, "open");
    await mkdir(open);
    await chmod(open, 0o777);
    cache = new FetchCache({ directory: join(open, "mine"), capacity: 100, logger: new MemoryLogger() });
    await cache.start();
    expect(await take(new Source("a", 10))).to.equal(false);
  });
});
