import { createRequire } from "node:module";
import { expect } from "chai";
import { type Cluster, startCluster, until } from "../support/cluster.js";

// biome-ignore lint/suspicious/noExplicitAny: the package has no types.
const client: any = createRequire(import.meta.url)("mesos-framework");

interface Status {
  readonly task_id: { readonly value: string };
  readonly agent_id?: { readonly value: string };
  readonly state: string;
  readonly message?: string;
  readonly reason?: string;
}

/** An unmodified v1 scheduler library from npm, used as its own documentation does. */
describe("the npm package mesos-framework", function () {
  this.timeout(60_000);
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster.stop());

  function start(tasks: object) {
    const updates: Status[] = [];
    const errors: unknown[] = [];
    const scheduler = new client.Scheduler({
      masterUrl: "127.0.0.1",
      port: cluster.master.port,
      frameworkName: "third party",
      masterConnectionTimeout: 60,
      restartStates: [],
      logging: { level: "none" },
      tasks,
    });
    scheduler.on("ready", () => scheduler.subscribe());
    scheduler.on("update", (update: { status: Status }) => updates.push(update.status));
    scheduler.on("error", (error: unknown) => errors.push(error));
    const seen = (state: string) => updates.filter((status) => status.state === state);
    return { scheduler, updates, errors, seen };
  }

  const command = (value: string) => {
    const mesos = client.Mesos.getMesos();
    return new mesos.CommandInfo(
      null,
      new mesos.Environment([new mesos.Environment.Variable("GREETING", "hello")]),
      true,
      value,
      null,
      null,
    );
  };
  const resources = { cpus: 0.1, mem: 32, ports: 1, disk: 0 };

  it("subscribes, launches, and sees its tasks run and finish", async () => {
    const run = start({
      greet: { priority: 1, instances: 2, commandInfo: command('test "$GREETING" = hello'), resources },
    });
    await until(() => run.seen("TASK_FINISHED").length === 2 || run.errors.length > 0);
    expect(run.errors).to.deep.equal([]);
    expect(run.seen("TASK_RUNNING")).to.have.length(2);
    run.scheduler.teardown();
    await new Promise((resolve) => run.scheduler.once("sent_teardown", resolve));
    run.scheduler.removeAllListeners("error");
    run.scheduler.on("error", () => {});
    run.scheduler.httpRequest.destroy();
  });

  it("kills and reconciles", async () => {
    const run = start({ wait: { priority: 1, instances: 1, commandInfo: command("sleep 600"), resources } });
    await until(() => run.seen("TASK_RUNNING").length === 1 || run.errors.length > 0);
    expect(run.errors).to.deep.equal([]);
    const running = run.seen("TASK_RUNNING")[0];
    run.scheduler.reconcile(running?.task_id.value, running?.agent_id?.value);
    await until(() => run.updates.some((status) => status.reason === "REASON_RECONCILIATION"));
    run.scheduler.kill(running?.task_id.value, running?.agent_id?.value);
    await until(() => run.seen("TASK_KILLED").length === 1);
    run.scheduler.reconcile("never-launched", running?.agent_id?.value);
    await until(() => run.updates.some((status) => status.task_id.value === "never-launched"));
    const unknown = run.updates.find((status) => status.task_id.value === "never-launched");
    // It is not partition-aware, so an unknown task is lost to it.
    expect(unknown?.state).to.equal("TASK_LOST");
    run.scheduler.teardown();
    await new Promise((resolve) => run.scheduler.once("sent_teardown", resolve));
    run.scheduler.removeAllListeners("error");
    run.scheduler.on("error", () => {});
    run.scheduler.httpRequest.destroy();
  });
});
