import { spawnSync } from "node:child_process";
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { FileFetcher } from "../../../plugins/fetcher-file/file-fetcher.js";
import { HttpFetcher } from "../../../plugins/fetcher-http/http-fetcher.js";
import { FetchCache } from "../../../plugins/sandbox-fetch/fetch-cache.js";
import { UriFetch } from "../../../plugins/sandbox-fetch/uri-fetch.js";
import type { CommandInfo_URI } from "../../../proto/gen/mesos/v1/mesos.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { requestFor } from "../../support/container-request.js";
import { eventually } from "../../support/eventually.js";
import { requireThat } from "../../support/require-part.js";

/** A web server that counts what is downloaded. */
class Site {
  readonly content = new Map<string, Buffer>();
  readonly downloads: string[] = [];
  /** Paths whose downloads stop in the middle, until they are let go. */
  readonly held = new Map<string, ServerResponse[]>();
  sizes = true;
  private readonly server: Server = createServer((request, response) => {
    const path = request.url!;
    const body = this.content.get(path);
    if (body === undefined) return void response.writeHead(404).end();
    if (request.method === "HEAD") {
      return void response.writeHead(this.sizes ? 200 : 405, { "content-length": body.length }).end();
    }
    this.downloads.push(path);
    response.writeHead(200, { "content-length": body.length });
    const held = this.held.get(path);
    if (held === undefined) return void response.end(body);
    response.write(body.subarray(0, 1));
    held.push(response);
  });

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
  }

  close(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  offer(path: string, body: Buffer | string): string {
    this.content.set(path, Buffer.from(body));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
  }

  letGo(path: string): void {
    for (const response of this.held.get(path) ?? []) response.end(this.content.get(path)!.subarray(1));
    this.held.delete(path);
  }
}

describe("cached URIs", () => {
  let directory: string;
  let site: Site;
  let cache: FetchCache;
  let fetcher: UriFetch;
  let containers = 0;
  const metrics = new MetricsRegistry(new SystemClock());

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-uris-"));
    await chmod(directory, 0o755);
    site = new Site();
    await site.open();
    await open();
  });

  afterEach(async () => {
    site.close();
    await rm(directory, { recursive: true });
  });

  async function open(capacity = 1_000_000): Promise<void> {
    cache = new FetchCache({ directory: join(directory, "cache"), capacity, logger: new MemoryLogger() });
    const http = new HttpFetcher();
    fetcher = new UriFetch({
      fetchers: new Map([
        ["http", http],
        ["file", new FileFetcher()],
      ]),
      cache,
      frameworksHome: "",
      stallTimeout: 10_000,
      stagingDirectory: join(directory, "fetching"),
      succeeded: metrics.counter("succeeded"),
      failed: metrics.counter("failed"),
    });
    await fetcher.start();
  }

  /** A new sandbox with what was fetched; only its owner can enter it. */
  async function fetch(
    uris: readonly Partial<CommandInfo_URI>[],
    { user, signal = new AbortController().signal }: { user?: string; signal?: AbortSignal } = {},
  ): Promise<string> {
    const id = `c${++containers}`;
    const sandbox = join(directory, id);
    await mkdir(sandbox);
    if (user !== undefined) spawnSync("chown", [user, sandbox]);
    const command = { uris: uris.map((uri) => ({ cache: true, ...uri })), arguments: [] };
    await fetcher.fetch({ request: requestFor(id, { command, user, directory: sandbox }), user, signal });
    return sandbox;
  }

  const archive = async (name: string, pack: (folder: string) => readonly string[]): Promise<Buffer> => {
    const folder = await mkdtemp(join(directory, "pack-"));
    await writeFile(join(folder, "inside"), "content");
    const [program, ...args] = pack(name);
    const { status, stderr } = spawnSync(program!, args, { cwd: folder, encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    return readFile(join(folder, name));
  };

  it("are downloaded once, however many containers ask, at once or later", async () => {
    const value = site.offer("/tool", "#!/bin/sh\necho hello\n");
    const many = Array.from({ length: 8 }, () => fetch([{ value, executable: true }]));
    for (const sandbox of [...(await Promise.all(many)), await fetch([{ value, executable: true }])]) {
      expect(spawnSync(join(sandbox, "tool"), { encoding: "utf8" }).stdout).to.equal("hello\n");
    }
    expect(site.downloads).to.deep.equal(["/tool"]);
    expect(cache.usedBytes).to.equal(21);
    expect(await readdir(join(directory, "fetching"))).to.deep.equal([]);
  });

  it("are copies: what a task does to its own reaches no other", async () => {
    const value = site.offer("/data", "original");
    const first = await fetch([{ value, executable: false }]);
    await writeFile(join(first, "data"), "changed!");
    await rm(join(first, "data"));
    expect(await readFile(join(await fetch([{ value }]), "data"), "utf8")).to.equal("original");
    expect(site.downloads).to.have.length(1);
  });

  it("go where they are to go, and are unpacked from the cache", async () => {
    const tar = site.offer("/a.tar.gz", await archive("a.tar.gz", (name) => ["tar", "-czf", name, "inside"]));
    const sandbox = await fetch([{ value: tar }, { value: tar, extract: false, output_file: "deep/kept" }]);
    expect(await readFile(join(sandbox, "inside"), "utf8")).to.equal("content");
    expect((await readdir(sandbox)).sort(), "the archive itself stays in the cache").to.deep.equal([
      "deep",
      "inside",
    ]);
    expect(await readdir(join(sandbox, "deep"))).to.deep.equal(["kept"]);
    const plain = await fetch([{ value: tar, cache: false }]);
    expect((await readdir(plain)).sort(), "without the cache it does not").to.deep.equal([
      "a.tar.gz",
      "inside",
    ]);
    expect(site.downloads).to.have.length(2);
  });

  for (const cache of [true, false]) {
    it(`go nowhere where links of another archive lead, ${cache ? "from" : "without"} the cache`, async () => {
      const victim = join(directory, "victim");
      await mkdir(victim);
      const links = await archive("links.tar", (name) => {
        const make = `for at in file unpacked; do ln -s "${victim}/$at" "$at"; done; ln -s "${victim}" out; ln -s . here`;
        return ["sh", "-c", `${make}; tar -cf ${name} file unpacked out here`];
      });
      const first = { value: site.offer("/links.tar", links), cache };
      const file = { value: site.offer("/file", "content"), cache };
      const zipped = await archive("unpacked.gz", (name) => ["sh", "-c", `gzip -c inside > ${name}`]);
      const sandbox = await fetch([
        first,
        file,
        { value: site.offer("/unpacked.gz", zipped), cache },
        { ...file, output_file: "here//deep/kept" },
      ]);
      for (const name of ["file", "unpacked", "deep/kept"]) {
        expect((await lstat(join(sandbox, name))).isFile(), name).to.equal(true);
        expect(await readFile(join(sandbox, name), "utf8")).to.equal("content");
      }
      const refused = await fetch([first, { ...file, output_file: "out/more/file" }]).then(() => "", String);
      expect(refused).to.include("'out' leads out of the sandbox");
      const within = await archive("within.tar", (name) => {
        return ["sh", "-c", `mkdir out; echo mine > out/file; tar -cf ${name} out/file`];
      });
      const rest = await archive("rest.tar", (name) => [
        "sh",
        "-c",
        `mkdir deep; echo more > deep/more; ln -s more deep/again; tar -cf ${name} deep`,
      ]);
      const follows = { value: site.offer("/within.tar", within), cache };
      const unpacked = await fetch([first, follows]).then(() => "", String);
      expect(unpacked).to.match(/'tar' ended with status 1: .*out/);
      expect(await readdir(victim)).to.deep.equal([]);
      const beside = await fetch([first, { value: site.offer("/rest.tar", rest), cache }]);
      expect(await readFile(join(beside, "deep/again"), "utf8")).to.equal("more\n");
      expect((await readdir(beside)).filter((name) => name.startsWith("."))).to.deep.equal([]);
    });
  }

  it("of every kind are unpacked from the cache, also for a user who cannot enter it", async function () {
    requireThat(this, process.getuid?.() === 0, "other users need root");
    const kinds: [string, (name: string) => readonly string[]][] = [
      ["a.tar", (name) => ["tar", "-cf", name, "inside"]],
      ["b.tar.bz2", (name) => ["tar", "-cjf", name, "inside"]],
      ["c.txz", (name) => ["tar", "-cJf", name, "inside"]],
      ["d.zip", (name) => ["python3", "-m", "zipfile", "-c", name, "inside"]],
      ["e.gz", (name) => ["sh", "-c", `gzip -c inside > ${name}`]],
    ];
    for (const [name, pack] of kinds) {
      const value = site.offer(`/${name}`, await archive(name, pack));
      const sandbox = await fetch([{ value }], { user: "nobody" });
      const unpacked = name === "e.gz" ? "e" : "inside";
      expect(await readdir(sandbox), name).to.deep.equal([unpacked]);
      expect(await readFile(join(sandbox, unpacked), "utf8")).to.equal("content");
      expect((await stat(join(sandbox, unpacked))).uid, name).not.to.equal(0);
    }
    expect((await stat(join(directory, "cache"))).mode & 0o077, "only the agent enters the cache").to.equal(
      0,
    );
  });

  it("are kept apart for each user: one does not get what only another may read", async function () {
    requireThat(this, process.getuid?.() === 0, "other users need root");
    const secret = join(directory, "secret");
    await writeFile(secret, "secret", { mode: 0o600 });
    await fetch([{ value: secret }]);
    const refused = await fetch([{ value: secret }], { user: "nobody" }).then(() => "", String);
    expect(refused).to.match(/Failed to fetch: '.*secret': .*[Pp]ermission denied/);
  });

  it("that fail do so for each who asks, and work as soon as they can", async () => {
    const value = site.offer("/late", "there");
    site.content.delete("/late");
    for (let i = 0; i < 2; i++) {
      expect(await fetch([{ value }]).then(() => "", String)).to.match(/late': .*status 404/);
    }
    site.offer("/late", "there");
    expect(await readFile(join(await fetch([{ value }]), "late"), "utf8")).to.equal("there");
    expect(cache.usedBytes).to.equal(5);
  });

  it("that do not fit, or whose size nobody tells, are fetched all the same", async () => {
    await open(10);
    const large = site.offer("/large", "x".repeat(11));
    expect((await readFile(join(await fetch([{ value: large }]), "large"))).length).to.equal(11);
    site.sizes = false;
    const unknown = site.offer("/unknown", "x");
    await fetch([{ value: unknown }]);
    await fetch([{ value: unknown }]);
    expect(site.downloads).to.deep.equal(["/large", "/unknown", "/unknown"]);
    expect(cache.usedBytes).to.equal(0);
  });

  it("survive that the container which asked first is killed in the middle", async () => {
    const value = site.offer("/slow", "abcdef");
    site.held.set("/slow", []);
    let asked = 0;
    const get = cache.get.bind(cache);
    cache.get = (...args) => {
      asked++;
      return get(...args);
    };
    const doomed = new AbortController();
    const first = fetch([{ value }], { signal: doomed.signal }).then(
      () => "fetched",
      () => "killed",
    );
    const second = fetch([{ value }]);
    await eventually(() => (site.downloads.length === 1 && asked === 2 ? true : undefined));
    doomed.abort();
    expect(await first).to.equal("killed");
    site.letGo("/slow");
    expect(await readFile(join(await second, "slow"), "utf8")).to.equal("abcdef");
    expect(site.downloads).to.have.length(1);
  });

  it("stop being downloaded when nobody waits any more", async () => {
    const value = site.offer("/slow", "abcdef");
    const held: ServerResponse[] = [];
    site.held.set("/slow", held);
    const doomed = new AbortController();
    const gone = fetch([{ value }], { signal: doomed.signal }).catch(() => "killed");
    await eventually(() => held[0]);
    const closed = new Promise((resolve) => held[0]!.once("close", resolve));
    doomed.abort();
    expect(await gone).to.equal("killed");
    await closed;
    await eventually(() => (cache.usedBytes === 0 ? true : undefined));
    await eventually(async () => ((await readdir(join(directory, "cache"))).length === 0 ? true : undefined));
  });
});
