import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

const MODULE = new URL("../../bin/end.js", import.meta.url).href;

/** Runs `before` in a process that then ends itself with 3. */
async function ending(
  before: string,
  stuck = false,
): Promise<{ code: number | null; signal: string | null; text: string }> {
  const script = `import { promises as fs } from "node:fs"; import { endProcess } from "${MODULE}"; ${before}; await endProcess({ code: 3, stuck: ${stuck}, program: "it" });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.on("data", (bytes) => {
    text += bytes;
  });
  const [code, signal] = await once(child, "close");
  return { code, signal, text };
}

const KILLED = {
  code: null,
  signal: "SIGKILL",
  text: "it: something does not come to its end; killing this process\n",
};

describe("the end of a daemon's process", function () {
  this.timeout(30_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tepui-end-"));
    execFileSync("mkfifo", [join(folder, "pipe")]);
  });
  after(() => rmSync(folder, { recursive: true }));

  it("is told by its code, and waits for nothing but files", async () => {
    expect(await ending("setInterval(() => {}, 1000)")).to.deep.equal({ code: 3, signal: null, text: "" });
  });

  it("comes also where a file does not answer", async () => {
    // Nobody writes into it, so it cannot be opened; a thread waits for that.
    const ended = await ending(`void fs.open("${join(folder, "pipe")}", "r")`);
    expect(ended).to.deep.equal(KILLED);
  });

  it("comes also where another thread does not", async () => {
    const thread = `const { Worker } = await import("node:worker_threads");
      const work = \`
        import { parentPort } from "node:worker_threads";
        import { openSync } from "node:fs";
        parentPort.postMessage(0);
        openSync("${join(folder, "pipe")}", "r");
      \`;
      const worker = new Worker(work, { eval: true });
      await new Promise((resolve) => worker.once("message", resolve))`;
    expect(await ending(thread, true)).to.deep.equal(KILLED);
  });
});
