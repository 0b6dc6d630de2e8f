import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { expect } from "chai";
import { filesRoutes } from "../../../plugins/files-endpoint/routes.js";
import { VirtualFiles } from "../../../plugins/files-endpoint/virtual-files.js";
import type { AgentView } from "../../../sdk/contracts/agent-view.js";
import type { HttpReply, HttpRequest } from "../../../sdk/contracts/http-server.js";
import { isTepuiError } from "../../../sdk/errors/index.js";

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: Buffer;
}

/** Asks a route without a server between. */
async function ask(files: VirtualFiles, url: string, method = "GET"): Promise<Answer> {
  const { pathname, searchParams } = new URL(url, "http://x");
  const route = filesRoutes(files, "realm").find(({ path }) => path === pathname)!;
  const chunks: Buffer[] = [];
  let answer = { status: 0, headers: {} as Record<string, unknown> };
  const send = (status: number, body: string | Uint8Array = "", headers = {}): void => {
    answer = { status, headers };
    chunks.push(Buffer.from(body as string));
  };
  const reply = {
    send,
    text: send,
    json: (body: string) => send(200, body, { jsonp: searchParams.get("jsonp") }),
    pipe: async (status: number, headers: Record<string, unknown>, source: Readable) => {
      answer = { status, headers };
      if (method === "HEAD") source.destroy();
      else for await (const chunk of source) chunks.push(chunk as Buffer);
    },
  };
  try {
    await route.handle({ method, query: searchParams } as HttpRequest, reply as unknown as HttpReply);
  } catch (error) {
    if (!isTepuiError(error)) throw error;
    send(error.http, error.detail);
  }
  return { ...answer, body: Buffer.concat(chunks) };
}

describe("/files", () => {
  let base: string;
  let sandbox: string;
  let files: VirtualFiles;

  const get = (name: string, query: Record<string, string>, method?: string): Promise<Answer> =>
    ask(files, `/files/${name}?${new URLSearchParams(query)}`, method);

  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), "tepui-files-"));
    const runs = join(base, "slaves/S0/frameworks/F1/executors/E1/runs");
    sandbox = join(runs, "c-2");
    await mkdir(join(sandbox, "sub"), { recursive: true });
    await mkdir(join(runs, "c-1"));
    await writeFile(join(runs, "c-1", "stdout"), "first run");
    await symlink(sandbox, join(runs, "latest"));
    await writeFile(join(sandbox, "stdout"), "hello\nworld\n");
    await writeFile(join(base, "secret"), "secret");
    await mkdir(join(base, "slaves/S0/frameworks/F1/executors/E1/runs/c-22"));
    const executor = (directory: string) => ({ id: "E1", directory });
    const framework = {
      id: "F1",
      executors: [executor(sandbox)],
      completedExecutors: [executor(join(runs, "c-1"))],
    };
    files = new VirtualFiles({
      frameworks: () => [framework],
      completedFrameworks: () => [],
    } as unknown as AgentView);
  });

  afterEach(() => rm(base, { recursive: true, force: true }));

  describe("read", () => {
    const read = async (query: Record<string, string>): Promise<unknown> => {
      const { body, status } = await get("read", query);
      expect(status, body.toString()).to.equal(200);
      return JSON.parse(body.toString());
    };

    it("finds a sandbox under its real path, its latest link and its virtual name", async () => {
      for (const path of [
        sandbox,
        join(sandbox, "..", "latest").replace("c-2/../", ""),
        "/frameworks/F1/executors/E1/runs/latest",
      ])
        expect(await read({ path: `${path}/stdout`, offset: "0" }), path).to.deep.equal({
          data: "hello\nworld\n",
          offset: 0,
        });
      const first = join(sandbox, "../c-1/stdout");
      expect(await read({ path: first, offset: "0" })).to.deep.equal({ data: "first run", offset: 0 });
    });

    it("is asked under the names of before Mesos 1.0, too, as mesos-cli does", async () => {
      const path = join(sandbox, "stdout");
      const part = await get("read.json", { path, offset: "6", length: "5" });
      expect(JSON.parse(part.body.toString())).to.deep.equal({ data: "world", offset: 6 });
      const listed = await get("browse.json", { path: sandbox });
      expect(listed.body.toString()).to.equal((await get("browse", { path: sandbox })).body.toString());
      expect((await get("download.json", { path })).body.toString()).to.equal("hello\nworld\n");
    });

    it("finds what a pod's task has by the name of the task", async () => {
      await mkdir(join(sandbox, "containers/c-3"), { recursive: true });
      await writeFile(join(sandbox, "containers/c-3/stdout"), "of a task");
      await mkdir(join(sandbox, "tasks"));
      await symlink(join(sandbox, "containers/c-3"), join(sandbox, "tasks/t-1"));
      const path = "/frameworks/F1/executors/E1/runs/latest/tasks/t-1/stdout";
      expect(await read({ path, offset: "0" })).to.deep.equal({ data: "of a task", offset: 0 });
    });

    it("reads parts", async () => {
      const path = `${sandbox}/stdout`;
      expect(await read({ path, offset: "6", length: "5" })).to.deep.equal({ data: "world", offset: 6 });
      expect(await read({ path, offset: "6", length: "-1" })).to.deep.equal({ data: "world\n", offset: 6 });
      expect(await read({ path, offset: "99" })).to.deep.equal({ data: "", offset: 99 });
      expect(await read({ path, offset: "0", length: "0" })).to.deep.equal({ data: "", offset: 0 });
    });

    it("tells the size for the offset -1, which is the default", async () => {
      const path = `${sandbox}/stdout`;
      expect(await read({ path, offset: "-1", length: "-1" })).to.deep.equal({ data: "", offset: 12 });
      expect(await read({ path })).to.deep.equal({ data: "", offset: 12 });
    });

    it("gives at most 16 pages", async () => {
      await writeFile(join(sandbox, "big"), Buffer.alloc(100_000, "x"));
      const { data } = (await read({ path: `${sandbox}/big`, offset: "0" })) as { data: string };
      expect(data).to.have.length(65_536);
    });

    it("keeps every byte of a file that is no text", async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      await writeFile(join(sandbox, "binary"), bytes);
      const { body } = await get("read", { path: `${sandbox}/binary`, offset: "0" });
      const { data } = JSON.parse(body.toString("latin1")) as { data: string };
      expect(Buffer.from(data, "latin1").equals(bytes)).to.equal(true);
    });

    it("wraps text for browsers that ask by script", async () => {
      await writeFile(join(sandbox, "utf8"), "grüße");
      const { body, headers } = await get("read", { path: `${sandbox}/utf8`, offset: "0", jsonp: "cb" });
      expect(headers).to.deep.equal({ jsonp: "cb" });
      expect(JSON.parse(body.toString())).to.deep.equal({ data: "grüße", offset: 0 });
    });

    it("follows what is attached, until it is detached", async () => {
      const detach = files.attach("/agent/log/", join(base, "secret"));
      expect(await read({ path: "/agent/log", offset: "0" })).to.deep.equal({ data: "secret", offset: 0 });
      expect((await get("read", { path: "/agent/log/x" })).status).to.equal(404);
      detach();
      expect((await get("read", { path: "/agent/log" })).status).to.equal(404);
    });
  });

  describe("refuses", () => {
    const status = async (query: Record<string, string>): Promise<string> => {
      const answers = await Promise.all(["read", "download"].map((name) => get(name, query)));
      return [...new Set(answers.map((answer) => answer.status))].join();
    };

    it("paths that lead out of the sandbox", async () => {
      for (const path of [
        `${sandbox}/../../../../../../../../secret`,
        `${sandbox}/sub/../../c-22`,
        "/frameworks/F1/executors/E1/runs/latest/../../../../../../../secret",
      ])
        expect(await status({ path, offset: "0" }), path).to.equal("400");
    });

    it("symbolic links that lead out of it, but not those within", async () => {
      await symlink(join(base, "secret"), join(sandbox, "leak"));
      await symlink("../../../../../../../..", join(sandbox, "up"));
      await symlink("../c-22", join(sandbox, "sibling"));
      await symlink("stdout", join(sandbox, "within"));
      for (const name of ["leak", "up/secret", "sibling"])
        expect(await status({ path: `${sandbox}/${name}`, offset: "0" }), name).to.equal("400");
      expect(await status({ path: `${sandbox}/within`, offset: "0" })).to.equal("200");
      const { body } = await get("browse", { path: `${sandbox}/up` });
      expect(body.toString()).to.contain("is inaccessible");
    });

    it("what is not served, whether it exists or not", async () => {
      for (const path of [
        "/etc/passwd",
        "/nothing",
        `${base}/secret`,
        `${sandbox}/nothing`,
        `${sandbox}/stdout/x`,
        "/frameworks/F1/executors/E2/runs/latest/stdout",
        "/frameworks/F2/executors/E1/runs/latest/stdout",
        "/frameworks/F1/executors/E1/runs/c-2/stdout",
        "/other/frameworks/F1/executors/E1/runs/latest/stdout",
        `${sandbox}/a\0b`,
      ])
        expect(await status({ path }), path).to.equal("404");
    });

    it("directories, pipes and devices", async () => {
      execFileSync("/bin/sh", ["-c", 'mkfifo "$0"', join(sandbox, "pipe")]);
      expect(await status({ path: sandbox })).to.equal("400");
      expect(await status({ path: `${sandbox}/pipe` })).to.equal("400");
    });

    it("parameters that are missing or wrong, in Mesos's words", async () => {
      const text = async (name: string, query: Record<string, string>): Promise<string> => {
        const answer = await get(name, query);
        expect(answer.status).to.equal(400);
        return answer.body.toString();
      };
      for (const name of ["browse", "read", "download"])
        expect(await text(name, {})).to.equal("Expecting 'path=value' in query.\n");
      const path = `${sandbox}/stdout`;
      expect(await text("read", { path, offset: "x" })).to.equal(
        "Failed to parse offset: Failed to convert 'x' to number.\n",
      );
      expect(await text("read", { path, offset: "-2" })).to.equal("Negative offset provided: -2.\n");
      expect(await text("read", { path, length: "-5" })).to.equal("Negative length provided: -5.\n");
      expect(await text("read", { path: sandbox })).to.equal("Cannot read a directory.\n");
      expect(await text("download", { path: sandbox })).to.equal("Cannot download a directory.\n");
    });
  });

  describe("browse", () => {
    it("lists a directory, sorted, under the path that was asked for", async () => {
      await utimes(join(sandbox, "stdout"), 1_700_000_000.5, 1_700_000_000.5);
      await chmod(join(sandbox, "stdout"), 0o644);
      await chmod(join(sandbox, "sub"), 0o755);
      await symlink("nowhere", join(sandbox, "dangling"));
      const { body } = await get("browse", { path: "/frameworks/F1/executors/E1/runs/latest/" });
      const listing = JSON.parse(body.toString()) as Record<string, unknown>[];
      expect(listing.map(({ path }) => path)).to.deep.equal([
        "/frameworks/F1/executors/E1/runs/latest/stdout",
        "/frameworks/F1/executors/E1/runs/latest/sub",
      ]);
      expect(listing[0]).to.have.all.keys("path", "nlink", "size", "mtime", "mode", "uid", "gid");
      expect(listing[0]).to.include({ mode: "-rw-r--r--", size: 12, nlink: 1, mtime: 1_700_000_000 });
      expect(listing[1]).to.include({ mode: "drwxr-xr-x" });
      expect(body.toString()).to.contain('"mtime":1700000000.0');
    });

    it("finds nothing in a file", async () => {
      expect((await get("browse", { path: `${sandbox}/stdout` })).body.toString()).to.equal("[]");
    });
  });

  it("downloads a file with its name and type", async () => {
    await writeFile(join(sandbox, "page.html"), "<p>");
    await writeFile(join(sandbox, 'a "b"\n'), "odd");
    const page = await get("download", { path: `${sandbox}/page.html` });
    expect(page.body.toString()).to.equal("<p>");
    expect(page.headers).to.deep.equal({
      "Content-Type": "text/html",
      "Content-Disposition": "attachment; filename=page.html",
      "Content-Length": 3,
    });
    const odd = await get("download", { path: `${sandbox}/a "b"\n` });
    expect(odd.headers["Content-Disposition"]).to.equal("attachment; filename*=UTF-8''a%20%22b%22%0A");
    const head = await get("download", { path: `${sandbox}/page.html` }, "HEAD");
    expect(head.body).to.have.length(0);
    expect(head.headers["Content-Length"]).to.equal(3);
  });

  it("shows what is served for debugging", async () => {
    files.attach("/agent/log", "/var/log/agent");
    const { body } = await get("debug", {});
    const listing = JSON.parse(body.toString()) as Record<string, string>;
    expect(listing["/agent/log"]).to.equal("/var/log/agent");
    expect(listing["/frameworks/F1/executors/E1/runs/latest"]).to.equal(sandbox);
    expect(listing[sandbox]).to.equal(sandbox);
  });
});
