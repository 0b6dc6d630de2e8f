import { appendFile, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { FileStreams } from "../../../sdk/container-streams/index.js";

describe("the streams of a container in its files", () => {
  let top: string;
  let outer: string;
  let inner: string;
  let end: () => void;
  let streams: FileStreams;

  beforeEach(async () => {
    top = await mkdtemp(join(tmpdir(), "tepui-streams-"));
    outer = join(top, "outer");
    inner = join(outer, "containers", "inner");
    await mkdir(inner, { recursive: true });
    await mkdir(join(top, "elsewhere"));
    await writeFile(join(top, "elsewhere", "stdout"), "secret");
    const ended = new Promise<void>((resolve) => (end = resolve));
    streams = new FileStreams({ directory: inner, boundary: outer, ended });
  });

  afterEach(() => rm(top, { recursive: true }));

  /** What is read from now until the end. */
  function follow(): Promise<string> {
    const output = streams.output(new AbortController().signal);
    return (async () => {
      let text = "";
      for await (const { stream, data } of output) text += `${stream}: ${data}\n`;
      return text;
    })();
  }

  it("are what is written from now on, also to a new file of the name", async () => {
    await writeFile(join(inner, "stdout"), "before");
    const text = follow();
    await appendFile(join(inner, "stdout"), " after");
    await writeFile(join(inner, "stderr"), "new");
    end();
    expect(await text).to.equal("stdout:  after\nstderr: new\n");
  });

  it("do not lead through links, at their end or on the way there, from the beginning or put there later", async () => {
    await symlink(join(top, "elsewhere", "stdout"), join(inner, "stderr"));
    const first = follow();
    // The whole of it gives way to a link.
    await rename(inner, join(outer, "moved"));
    await symlink(join(top, "elsewhere"), inner);
    const second = follow();
    end();
    expect(await first).to.equal("");
    expect(await second).to.equal("");
  });

  it("do not lead through a link in place of a directory above", async () => {
    await mkdir(join(top, "elsewhere", "inner"));
    await writeFile(join(top, "elsewhere", "inner", "stdout"), "secret");
    const text = follow();
    await rename(join(outer, "containers"), join(outer, "moved"));
    await symlink(join(top, "elsewhere"), join(outer, "containers"));
    end();
    expect(await text).to.equal("");
  });
});
