import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { getJson, until } from "../support/cluster.js";
import { freePort } from "../support/daemons.js";

const root = new URL("../../..", import.meta.url).pathname;

describe("a daemon whose log nobody reads any more", function () {
  this.timeout(60_000);
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "tepui-log-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("goes on, and ends when it is told to", async () => {
    const port = await freePort();
    const flags = [`--port=${port}`, "--ip=127.0.0.1", "--grpc_port=0", `--work_dir=${folder}`];
    const child = spawn(process.execPath, [join(root, "bin/mesos-master"), ...flags], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const exited = once(child, "exit");
    try {
      await once(child.stderr, "data");
      child.stderr.destroy();
      await until(() =>
        getJson({ port }, "/version").then(
          () => true,
          () => false,
        ),
      );
      child.kill("SIGTERM");
      const [code] = await exited;
      expect(code).to.equal(0);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
