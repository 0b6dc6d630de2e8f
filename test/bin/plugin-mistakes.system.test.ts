import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { until } from "../support/until.js";

const root = new URL("../../..", import.meta.url).pathname;
const SDK = new URL("../../sdk/index.js", import.meta.url).pathname;

describe("a mistake of a plugin in a daemon that runs", function () {
  this.timeout(60_000);
  let folder: string;
  let master: ChildProcess | undefined;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tepui-mistakes-"));
  });
  afterEach(() => master?.kill("SIGKILL"));
  after(() => rmSync(folder, { recursive: true }));

  /** A master with a plugin whose start does this. */
  function startMaster(start: string) {
    writeFileSync(
      join(folder, "mistaken.mjs"),
      `import { definePlugin } from "${SDK}";
export default definePlugin({ name: "mistaken", version: "1.0.0", setup: () => ({ start: async () => { ${start} } }) });`,
    );
    const manifest = join(folder, "master.yaml");
    writeFileSync(manifest, "target: master\nextends: master\nplugins:\n  - ./mistaken.mjs\n");
    const flags = ["--ip=127.0.0.1", "--port=0", "--grpc_port=0", "--registry=in_memory"];
    const child = spawn(
      process.execPath,
      [join(root, "bin/tepui"), "master", ...flags, `--manifest=${manifest}`],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    master = child;
    const said = { text: "" };
    child.stderr.on("data", (bytes) => {
      said.text += bytes;
    });
    const ended = once(child, "close") as Promise<[number | null]>;
    return { child, said, ended };
  }

  it("is said, where nobody caught what it threw or rejected, and ends nothing", async () => {
    const { child, said, ended } = startMaster(
      `setImmediate(() => { void Promise.reject(new Error("not awaited")); throw new Error("not caught"); });`,
    );
    await until(() => /nobody handled.*not awaited/.test(said.text), { seen: () => said.text });
    await until(() => /nobody caught.*not caught/.test(said.text), { seen: () => said.text });
    expect(child.exitCode).to.equal(null);
    child.kill("SIGTERM");
    expect((await ended)[0]).to.equal(0);
  });

  it("is no quiet success where it ends the process", async () => {
    const { said, ended } = startMaster("process.exit(0);");
    expect((await ended)[0]).to.equal(1);
    expect(said.text).to.match(/^tepui master: process\.exit\(0\) was called by .*mistaken\.mjs:2:\d+/m);
    expect(said.text).to.contain("no plugin may end the daemon");
  });
});
