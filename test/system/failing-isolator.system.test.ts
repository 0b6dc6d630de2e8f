import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { getJson, until } from "../support/cluster.js";
import { boxed, ContainerHost, FULL_ISOLATION } from "../support/container-host.js";
import { hostMounts } from "../support/host-mounts.js";

/** Fails where the task's environment says. */
const PLUGIN = `
import { existsSync } from "node:fs";
import { definePlugin, Isolator } from "SDK";
const where = new Map();
const fail = (id, step) => {
  if (where.get(id) === step) throw new Error("the " + step + " that was asked to fail");
};
export default definePlugin({
  name: "failing",
  version: "1.0.0",
  targets: ["agent"],
  provides: [Isolator],
  setup: (ctx) => ctx.bind(Isolator, {
    name: "test/failing",
    async prepare({ containerId, environment }) {
      where.set(containerId.value, environment.FAIL);
      fail(containerId.value, "prepare");
      while (environment.HANG !== undefined && !existsSync(environment.HANG)) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    async isolate(id) { fail(id, "isolate"); },
    async usage(id) { fail(id, "usage"); return {}; },
    async cleanup(id) { const step = where.get(id); where.delete(id); if (step === "cleanup") throw new Error("the cleanup that was asked to fail"); },
  }),
});
`;

describe("an isolator that fails", function () {
  this.timeout(60_000);
  let directory: string;
  let host: ContainerHost;

  before(async function () {
    directory = await mkdtemp(join(tmpdir(), "tepui-failing-"));
    const sdk = new URL("../../sdk/index.js", import.meta.url).pathname;
    const file = join(directory, "failing.mjs");
    await writeFile(file, PLUGIN.replace("SDK", sdk));
    host = await ContainerHost.open(this, {
      isolation: [...FULL_ISOLATION, "test/failing"],
      // In the middle of the others.
      plugins: [{ use: file, as: "failing", before: "linux-isolators" }],
    });
  });
  after(async () => {
    await host?.close();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  const asking = (step: string) => ({ environment: { variables: [{ name: "FAIL", value: step }] } });

  /** Control groups, root file systems and records of containers. */
  async function left(): Promise<string[]> {
    const found = await host.groups();
    const work = await host.workDirectory();
    for (const place of ["provisioner/containers", "run/containers"]) {
      for (const path of await readdir(join(work, place), { recursive: true }).catch(() => []))
        if (/[0-9a-f]{8}-[0-9a-f]{4}-/.test(path)) found.push(join(place, path));
    }
    return found;
  }

  for (const step of ["prepare", "isolate"]) {
    it(`in ${step} fails the one task by name and reason, and leaves nothing`, async () => {
      const work = await host.workDirectory();
      const mounts = hostMounts(work);
      host.runner.run(`fails-${step}`, { value: "true", ...asking(step) }, boxed());
      await host.runner.reaches(`fails-${step}`, TaskState.TASK_FAILED);
      expect(host.runner.last(`fails-${step}`)!.message).to.match(
        new RegExp(`'test/failing' .*the ${step} that was asked to fail`),
      );
      await until(async () => (await left()).length === 0);
      await until(() => hostMounts(work).join() === mounts.join(), {
        what: "the mounts to be those of before",
        seen: () => hostMounts(work).join("\n"),
      });
      const { status, stdout } = await host.run("echo works", boxed());
      expect([status.state, stdout]).to.deep.equal([TaskState.TASK_FINISHED, "works\n"]);
      await until(async () => (await left()).length === 0);
    });
  }

  it("that hangs is named by /containerizer/debug", async () => {
    const pending = async () =>
      ((await getJson(host.agent, "/containerizer/debug")) as { pending: object[] }).pending;
    await until(async () => (await pending()).length === 0);
    const goOn = join(directory, "go-on");
    const environment = { variables: [{ name: "HANG", value: goOn }] };
    host.runner.run("hangs", { value: "true", environment }, boxed());
    await until(async () => (await pending()).length > 0);
    const containerId = await host.containerId("hangs");
    expect(await pending()).to.deep.equal([{ operation: "test/failing::prepare", args: { containerId } }]);
    await writeFile(goOn, "");
    await host.runner.reaches("hangs", TaskState.TASK_FINISHED);
    await until(async () => (await pending()).length === 0);
  });

  it("in usage costs its figures, not the agent", async () => {
    host.runner.run("unmeasured", { value: "sleep 1000", ...asking("usage") }, boxed());
    await host.runner.reaches("unmeasured", TaskState.TASK_RUNNING);
    for (const path of ["/monitor/statistics", "/containers"]) {
      const found = (await getJson(host.agent, path)) as { executor_id: string; statistics: object }[];
      const { statistics } = found.find(({ executor_id: id }) => id === "unmeasured")!;
      expect(statistics, "those of others").to.include.keys("cpus_soft_limit", "mem_rss_bytes");
    }
    await host.runner.kill("unmeasured");
  });

  it("in cleanup does not keep the others from theirs, and is counted", async () => {
    host.runner.run("uncleaned", { value: "true", ...asking("cleanup") }, boxed());
    await host.runner.reaches("uncleaned", TaskState.TASK_FINISHED);
    await until(async () => (await left()).length === 0);
    await until(async () => {
      const metrics = (await getJson(host.agent, "/metrics/snapshot")) as Record<string, number>;
      return metrics["containerizer/mesos/container_destroy_errors"] === 1;
    });
  });
});
