import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type InverseOffer, TaskState, TaskStatus_Reason } from "../../proto/gen/mesos/v1/mesos.js";
import { getJson } from "../support/cluster.js";
import { type Daemon, startDaemon } from "../support/daemons.js";
import { eventually } from "../support/eventually.js";
import { Runner } from "../support/runner.js";

const LIMIT_MS = 60_000;
/** Other tests let the daemons say little: here their lines are written, too. */
const VERBOSE = "--logging_level=INFO";

interface Slave {
  readonly id: string;
  readonly hostname: string;
  readonly active: boolean;
  readonly deactivated: boolean;
  readonly drain_info?: { readonly state: string };
}

/** Real daemons, one after the other: the state of each step is where the next begins. */
describe("an agent and its machine, taken out of use and back", function () {
  this.timeout(240_000);
  let folder: string;
  let master: Daemon;
  let agent: Daemon;
  let runner: Runner;
  const asked: InverseOffer[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "tepui-maintenance-"));
    master = await startDaemon("mesos-master", ["--allocation_interval=50ms", VERBOSE], {
      log: log("master"),
    });
    agent = await startDaemon(
      "mesos-agent",
      [
        `--master=127.0.0.1:${master.port}`,
        "--resources=cpus:4;mem:4096",
        "--registration_backoff_factor=10ms",
        VERBOSE,
      ],
      { log: log("agent") },
    );
    await slave(({ active }) => active);
    const cluster = { agents: [], stop: async () => undefined, master };
    // PARTITION_AWARE and TASK_KILLING_STATE
    runner = new Runner(cluster, { capabilities: [{ type: 5 }, { type: 2 }] });
    runner.client.on("inverse_offers", ({ inverse_offers }) => void asked.push(...inverse_offers));
    await runner.start();
  });
  after(async () => {
    await runner?.stop();
    await agent?.stop();
    await master?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const log = (daemon: string): string => join(folder, `${daemon}.log`);

  const slaves = async () => ((await getJson(master, "/slaves")) as { slaves: Slave[] }).slaves;

  /** The agent, once it is as wanted. */
  const slave = (wanted: (slave: Slave) => boolean): Promise<Slave> =>
    eventually(async () => (await slaves()).find(wanted), LIMIT_MS);

  const post = async (path: string, body: unknown): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${master.port}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return `${response.status} ${await response.text()}`.trim();
  };

  const operate = (call: Record<string, unknown>) => post("/api/v1", call);

  const status = () => getJson(master, "/maintenance/status");

  const schedule = (machines: readonly unknown[]) =>
    post("/maintenance/schedule", {
      windows: [{ machine_ids: machines, unavailability: { start: { nanoseconds: Date.now() * 1e6 } } }],
    });

  const ended = (daemon: Daemon) =>
    eventually(() => (daemon.process.exitCode === null ? undefined : true), LIMIT_MS);

  it("asks the framework whether it can do without the machine, and shows its answer", async () => {
    const { hostname, id } = await slave(({ active }) => active);
    const machine = { hostname, ip: "127.0.0.1" };
    // It takes no notice of SIGTERM.
    runner.run("stubborn", { value: "trap '' TERM; while :; do sleep 0.1; done" });
    await runner.reaches("stubborn", TaskState.TASK_RUNNING);
    expect(await schedule([machine])).to.equal("200");
    const offer = await eventually(() => asked.at(-1), LIMIT_MS);
    expect(offer.agent_id?.value).to.equal(id);
    await runner.client.acceptInverseOffers(offer.id ?? "", { refuse_seconds: 3600 });
    const answer = await eventually(async () => {
      const { draining_machines: draining } = (await status()) as {
        draining_machines: {
          id: unknown;
          statuses?: { status: string; framework_id: { value: string } }[];
        }[];
      };
      return draining[0]?.statuses?.[0] === undefined ? undefined : draining[0];
    }, LIMIT_MS);
    expect(answer.id).to.deep.equal(machine);
    expect(answer.statuses![0]).to.include({ status: "ACCEPT" });
    expect(answer.statuses![0]!.framework_id.value).to.equal(runner.client.frameworkId);
    expect(await operate({ type: "DRAIN_AGENT", drain_agent: { agent_id: { value: id } } })).to.equal(
      `400 Agent ${id} is part of a maintenance schedule under Machine ${hostname} (127.0.0.1)`,
    );
    expect(await post("/maintenance/schedule", {})).to.equal("200");
  });

  it("drains it, though master and agent die on the way, and keeps it so until it is reactivated", async () => {
    const { id } = await slave(({ active }) => active);
    const drain_agent = { agent_id: { value: id }, max_grace_period: { seconds: 2 } };
    expect(await operate({ type: "DRAIN_AGENT", drain_agent })).to.equal("200");
    await runner.reaches("stubborn", TaskState.TASK_KILLING);
    const config = (await getJson(agent, "/state")) as { drain_config: unknown };
    expect(config.drain_config).to.deep.equal({ max_grace_period: { nanoseconds: 2e9 }, mark_gone: false });
    await master.kill();
    await agent.kill();
    agent = await agent.restart();
    master = await master.restart();
    await slave(({ drain_info: drain }) => drain?.state === "DRAINED");
    const last = runner.last("stubborn");
    expect(last?.state).to.equal(TaskState.TASK_KILLED);
    expect(last?.reason).to.equal(TaskStatus_Reason.REASON_AGENT_DRAINING);
    expect(last?.message).to.equal("Command terminated with signal Killed");
    await eventually(async () => {
      const state = (await getJson(agent, "/state")) as Record<string, unknown>;
      return "drain_config" in state ? undefined : true;
    }, LIMIT_MS);

    await master.kill();
    master = await master.restart();
    const after = await slave((one) => one.id === id);
    expect(after).to.include({ active: false, deactivated: true });
    expect(after.drain_info?.state).to.equal("DRAINED");
    runner.run("later", { value: "true" });
    expect(
      await operate({ type: "REACTIVATE_AGENT", reactivate_agent: { agent_id: { value: id } } }),
    ).to.equal("200");
    await runner.reaches("later", TaskState.TASK_FINISHED);
  });

  it("takes its machine down: it is ended, and not let in before the machine is up", async () => {
    const { hostname } = await slave(({ active }) => active);
    const machine = { hostname, ip: "127.0.0.1" };
    runner.run("doomed", { value: "sleep 1000" });
    await runner.reaches("doomed", TaskState.TASK_RUNNING);
    expect(await schedule([machine])).to.equal("200");
    expect(await post("/machine/down", [machine])).to.equal("200");
    await runner.reaches("doomed", TaskState.TASK_LOST);
    await ended(agent);
    expect(await status()).to.deep.equal({ down_machines: [machine] });
    expect(await slaves()).to.deep.equal([]);

    await master.kill();
    master = await master.restart();
    await agent.runToEnd();
    expect(await slaves()).to.deep.equal([]);

    expect(await post("/machine/up", [machine])).to.equal("200");
    expect(await status()).to.deep.equal({});
    agent = await agent.restart();
    await slave(({ active }) => active);
    runner.run("again", { value: "true" });
    await runner.reaches("again", TaskState.TASK_FINISHED);
  });

  it("never lets an agent back that is marked gone", async () => {
    const { id } = await slave(({ active }) => active);
    runner.run("last", { value: "sleep 1000" });
    await runner.reaches("last", TaskState.TASK_RUNNING);
    expect(await operate({ type: "MARK_AGENT_GONE", mark_agent_gone: { agent_id: { value: id } } })).to.equal(
      "200",
    );
    await runner.reaches("last", TaskState.TASK_GONE_BY_OPERATOR);
    expect(runner.last("last")?.reason).to.equal(TaskStatus_Reason.REASON_AGENT_REMOVED_BY_OPERATOR);
    await ended(agent);
    await master.kill();
    master = await master.restart();
    await agent.runToEnd();
    expect(await slaves()).to.deep.equal([]);
  });

  it("is told in the logs of both, line by line and without an error", async () => {
    const [ofMaster, ofAgent] = await Promise.all(
      ["master", "agent"].map((daemon) => readFile(log(daemon), "utf8")),
    );
    for (const text of ["Registered an agent", "Re-registered an agent", "Drained an agent"])
      expect(ofMaster).to.contain(text);
    for (const text of ["registering", "re-registered", "asked to shut down"])
      expect(ofAgent).to.contain(text);
    const odd = `${ofMaster}${ofAgent}`.split("\n").filter((line) => !/^([IW]\d{4} .*)?$/.test(line));
    expect(odd).to.deep.equal([]);
  });
});
