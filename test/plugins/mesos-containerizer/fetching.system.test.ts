import { execFile } from "node:child_process";
import { chmod, chown, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { FileFetcher } from "../../../plugins/fetcher-file/file-fetcher.js";
import { HttpFetcher } from "../../../plugins/fetcher-http/http-fetcher.js";
import type { CommandInfo_URI } from "../../../proto/gen/mesos/v1/mesos.js";
import { accountOf } from "../../../sdk/proc/index.js";
import { ContainerizerBench } from "./support.js";

const run = promisify(execFile);

describe("fetching into sandboxes", () => {
  let bench: ContainerizerBench;
  let server: Server;
  let base: string;
  let source: string;

  before(async () => {
    const http = new HttpFetcher();
    const fetchers = new Map([
      ["file", new FileFetcher()],
      ["http", http],
    ]);
    bench = await ContainerizerBench.open({ fetchers });
    await chmod(bench.directory, 0o755);
    source = join(bench.directory, "source");
    await mkdir(join(source, "tree"), { recursive: true });
    await writeFile(join(source, "tree", "file"), "content");
    await run("tar", ["-czf", "tree.tgz", "tree"], { cwd: source });
    await writeFile(join(source, "note.txt"), "note");
    await run("gzip", ["-k", "note.txt"], { cwd: source });
    await writeFile(join(source, "broken.tgz"), "this is no archive");
    await writeFile(join(source, "script"), "#!/bin/sh\necho hello\n");
    server = createServer((request, response) => {
      if (request.url === "/moved") response.writeHead(302, { location: "/there" }).end();
      else if (request.url === "/there") response.end("found");
      else response.writeHead(404).end("nothing");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(async () => {
    server.close();
    await bench.close();
  });

  /** Launches with the URIs; gives the sandbox. */
  async function fetched(...uris: CommandInfo_URI[]): Promise<string> {
    const request = await bench.request("ls -R > listing");
    const command = { ...request.command, uris };
    await bench.containerizer.launch({ ...request, command });
    await bench.containerizer.wait(request.containerId);
    return request.directory;
  }

  const refusal = (...uris: CommandInfo_URI[]): Promise<string> =>
    fetched(...uris).then(() => "launched", String);

  it("is done before the command runs, in the order of the URIs", async () => {
    const sandbox = await fetched({ value: join(source, "note.txt") }, { value: `${base}/moved` });
    expect(await readFile(join(sandbox, "note.txt"), "utf8")).to.equal("note");
    expect(await readFile(join(sandbox, "moved"), "utf8")).to.equal("found");
    expect(await readFile(join(sandbox, "listing"), "utf8"))
      .to.include("moved")
      .and.to.include("note.txt");
  });

  it("unpacks archives and keeps them, unless told not to", async () => {
    const value = join(source, "tree.tgz");
    const unpacked = await fetched({ value }, { value: join(source, "note.txt.gz") });
    expect(await readFile(join(unpacked, "tree", "file"), "utf8")).to.equal("content");
    expect(await readFile(join(unpacked, "note.txt"), "utf8")).to.equal("note");
    expect(await readdir(unpacked)).to.include("tree.tgz");
    expect(await readdir(await fetched({ value, extract: false }))).not.to.include("tree");
  });

  it("unpacks zip files", async function () {
    try {
      await run("zip", ["-q", "-r", "tree.zip", "tree"], { cwd: source });
    } catch {
      // zip is not part of every system; unzip is what is used.
      this.skip();
    }
    const sandbox = await fetched({ value: join(source, "tree.zip") });
    expect(await readFile(join(sandbox, "tree", "file"), "utf8")).to.equal("content");
  });

  it("makes files executable, and does not unpack those", async () => {
    const sandbox = await fetched({ value: join(source, "script"), executable: true });
    expect((await stat(join(sandbox, "script"))).mode & 0o777).to.equal(0o755);
    expect(
      await readdir(await fetched({ value: join(source, "tree.tgz"), executable: true })),
    ).not.to.include("tree");
  });

  it("writes to the output file, in directories that it makes", async () => {
    const sandbox = await fetched({ value: join(source, "note.txt"), output_file: "a/b/other" });
    expect(await readFile(join(sandbox, "a", "b", "other"), "utf8")).to.equal("note");
  });

  it("fails the launch, and says why", async () => {
    expect(await refusal({ value: `${base}/missing` })).to.match(
      /Failed to fetch: '.*\/missing': the server answered with status 404/,
    );
    expect(await refusal({ value: "/no/such/file" })).to.match(
      /Failed to fetch: '\/no\/such\/file': there is no such file$/,
    );
    expect(await refusal({ value: "/tmp" })).to.match(
      /Failed to fetch: '\/tmp': it is a directory, not a file$/,
    );
    expect(await refusal({ value: join(source, "broken.tgz") })).to.match(/'tar' ended with status 2/);
    expect(await refusal({ value: "hdfs://nn/x" })).to.match(
      /there is no fetcher for 'hdfs' URIs; there are fetchers for file, http/,
    );
    expect(bench.metrics.snapshot().get("failed")).to.equal(5);
  });

  if (process.geteuid?.() === 0) {
    it("reads files of the host with the rights of the container's user", async () => {
      const account = await accountOf("nobody");
      const as = async (value: string): Promise<string> => {
        const request = await bench.request("true", { user: "nobody" });
        await chown(request.directory, account!.uid, account!.gid);
        const command = { ...request.command, uris: [{ value }] };
        await bench.containerizer.launch({ ...request, command });
        const [name] = value.split("/").slice(-1);
        return `uid ${(await stat(join(request.directory, name!))).uid}`;
      };
      expect(await as(join(source, "note.txt"))).to.equal(`uid ${account!.uid}`);
      expect(await as("/etc/shadow").catch(String)).to.match(/'\/etc\/shadow': .*Permission denied/);
    });
  }
});
