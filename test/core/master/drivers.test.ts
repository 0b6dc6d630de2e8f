import { expect } from "chai";
import { TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import { isMessageName, jsonOf, wire } from "../../../proto/json/index.js";
import { TestAgent } from "./harness/agent.js";
import { MasterHarness } from "./harness/master-harness.js";

const AGENT = "slave(1)@10.0.0.1:5051";

type Json = Record<string, unknown>;

const frameworksOf = ({ master }: MasterHarness) =>
  new Map([...master.view!.frameworks()].map((framework) => [framework.id, framework]));

/** A scheduler that uses the v0 driver, by its messages. */
class TestDriver {
  /** What the master said since this was last looked at, as its names without the package. */
  private readonly heard: { name: string; body: Json }[] = [];

  constructor(
    private readonly harness: MasterHarness,
    readonly pid: string,
  ) {}

  /** @param name with its package, in Mesos's JSON */
  say(name: string, json: Json): void {
    if (!isMessageName(name)) throw new Error(`no message ${name}`);
    const { fromValue } = jsonOf(name) as { fromValue(value: unknown): unknown };
    const { encode } = wire(name) as { encode(message: unknown): Uint8Array };
    this.harness.transport.deliver("master", { from: this.pid, name, body: encode(fromValue(json)) });
  }

  call(json: Json): void {
    this.say("mesos.scheduler.Call", json);
  }

  subscribe(info: Json = {}, more: Json = {}): void {
    const framework_info = {
      user: "u",
      name: "driven",
      roles: ["web"],
      capabilities: [{ type: "MULTI_ROLE" }],
      ...info,
    };
    const { id } = framework_info as { id?: Json };
    this.call({ type: "SUBSCRIBE", ...(id && { framework_id: id }), subscribe: { framework_info, ...more } });
  }

  take(name: string, body: Uint8Array): void {
    if (!isMessageName(name)) throw new Error(`no message ${name}`);
    const { decode } = wire(name) as { decode(bytes: Uint8Array): unknown };
    const { write } = jsonOf(name) as { write(message: unknown): string };
    this.heard.push({ name: name.replace(/^mesos\.internal\./, ""), body: JSON.parse(write(decode(body))) });
  }

  hears(): { name: string; body: Json }[] {
    return this.heard.splice(0);
  }

  /** The only thing that it was told. */
  hearsOne(): { name: string; body: Json } {
    const all = this.hears();
    expect(all.map(({ name }) => name)).to.have.length(1);
    return all[0]!;
  }
}

async function setUp() {
  const harness = await new MasterHarness().start();
  const agent = new TestAgent({ name: "A", pid: AGENT, resources: "cpus:2;mem:64" }, harness.transport);
  const drivers = new Map<string, TestDriver>();
  const toAgent: { name: string; body: Json }[] = [];
  harness.transport.sent = (to, message) => {
    drivers.get(to)?.take(message.name, message.body);
    if (to !== AGENT) return;
    agent.take(message);
    if (!isMessageName(message.name)) return;
    const body = (wire(message.name) as { decode(bytes: Uint8Array): unknown }).decode(message.body);
    const { write } = jsonOf(message.name) as { write(message: unknown): string };
    toAgent.push({ name: message.name.replace(/^mesos\.internal\./, ""), body: JSON.parse(write(body)) });
  };
  agent.register();
  await harness.settle();
  const driver = (pid: string): TestDriver => {
    const made = new TestDriver(harness, pid);
    drivers.set(pid, made);
    return made;
  };
  /** Of the agent's messages of this name, the last one. */
  const told = (name: string) => toAgent.findLast((message) => message.name === name)?.body;
  return { harness, agent, driver, told };
}

/** With a framework that has been registered. */
async function registered() {
  const all = await setUp();
  const scheduler = all.driver("scheduler-1@10.0.0.2:7000");
  scheduler.subscribe({ failover_timeout: 60 });
  const { body } = scheduler.hearsOne();
  const id = body.framework_id as { value: string };
  const offer = async (): Promise<Json> => {
    all.harness.allocator.offer({ frameworkId: id.value, role: "web", agentId: all.agent.id });
    await all.harness.settle();
    const { name, body: offers } = scheduler.hearsOne();
    expect(name).to.equal("ResourceOffersMessage");
    expect(offers.pids).to.deep.equal([AGENT]);
    return (offers.offers as Json[])[0]!;
  };
  const framework = () => frameworksOf(all.harness).get(id.value)!;
  return { ...all, scheduler, id, offer, framework };
}

const task = (id: string, { agent }: { agent: TestAgent }): Json => ({
  name: id,
  task_id: { value: id },
  agent_id: { value: agent.id },
  resources: [
    { name: "cpus", type: "SCALAR", scalar: { value: 1 }, allocation_info: { role: "web" } },
    { name: "mem", type: "SCALAR", scalar: { value: 32 }, allocation_info: { role: "web" } },
  ],
  command: { value: "true" },
});

describe("schedulers of the v0 driver", () => {
  it("are registered, and told so again when they did not hear it", async () => {
    const { driver, harness } = await setUp();
    const scheduler = driver("scheduler-1@10.0.0.2:7000");
    scheduler.subscribe();
    const first = scheduler.hearsOne();
    expect(first.name).to.equal("FrameworkRegisteredMessage");
    expect(first.body.master_info).to.have.property("pid", "master@10.0.0.100:5050");
    scheduler.subscribe();
    expect(scheduler.hearsOne()).to.deep.equal(first);
    expect(frameworksOf(harness).size).to.equal(1);
    const { value } = first.body.framework_id as { value: string };
    expect(frameworksOf(harness).get(value)!.pid).to.equal(scheduler.pid);
  });

  it("are counted by their principal, as long as a framework has it", async () => {
    const { driver, harness } = await setUp();
    const counted = (): unknown[] =>
      ["messages_received", "messages_processed"].map((name) =>
        harness.metrics.snapshot().get(`frameworks/p/${name}`),
      );
    const [first, second] = [driver("scheduler-1@10.0.0.2:7000"), driver("scheduler-2@10.0.0.2:7000")];
    for (const scheduler of [first, second]) scheduler.subscribe({ principal: "p" });
    const [one, two] = [first, second].map((scheduler) => scheduler.hearsOne().body.framework_id as Json);
    expect(counted()).to.deep.equal([0, 0]);
    first.call({ type: "REVIVE", framework_id: one });
    second.call({ type: "TEARDOWN", framework_id: one });
    first.call({ type: "TEARDOWN", framework_id: one });
    expect(counted()).to.deep.equal([2, 2]);
    second.call({ type: "TEARDOWN", framework_id: two });
    expect(counted()).to.deep.equal([undefined, undefined]);
  });

  it("run tasks, and get and acknowledge what becomes of them", async () => {
    const { scheduler, id, offer, agent, told, harness } = await registered();
    const offered = await offer();
    const launch = { type: "LAUNCH", launch: { task_infos: [task("t", { agent })] } };
    scheduler.call({
      type: "ACCEPT",
      framework_id: id,
      accept: { offer_ids: [offered.id], operations: [launch] },
    });
    await harness.settle();
    // So that executors' messages can go straight to the scheduler.
    expect(told("RunTaskMessage")).to.include({ pid: scheduler.pid });
    const uuid = agent.update("t", TaskState.TASK_RUNNING);
    const { name, body } = scheduler.hearsOne();
    expect(name).to.equal("StatusUpdateMessage");
    expect(body.pid).to.equal(AGENT);
    expect(body.update).to.deep.include({
      framework_id: id,
      slave_id: { value: agent.id },
      uuid: uuid.toString("base64"),
    });
    expect((body.update as Json).status).to.include({ state: "TASK_RUNNING" });
    const acknowledge = {
      agent_id: { value: agent.id },
      task_id: { value: "t" },
      uuid: uuid.toString("base64"),
    };
    scheduler.call({ type: "ACKNOWLEDGE", framework_id: id, acknowledge });
    expect(told("StatusUpdateAcknowledgementMessage")).to.include({ uuid: uuid.toString("base64") });
    scheduler.call({ type: "KILL", framework_id: id, kill: { task_id: { value: "t" } } });
    expect(told("KillTaskMessage")).to.deep.include({ task_id: { value: "t" } });
    scheduler.call({
      type: "RECONCILE",
      framework_id: id,
      reconcile: { tasks: [{ task_id: { value: "unknown" } }] },
    });
    // Nobody waits for an acknowledgement of this, and so it says to no driver where to send one.
    const reconciled = scheduler.hearsOne().body;
    expect(reconciled).not.to.have.property("pid");
    expect(reconciled.update).not.to.have.property("uuid");
    scheduler.call({ type: "TEARDOWN", framework_id: id });
    expect(told("ShutdownFrameworkMessage")).to.deep.equal({ framework_id: id });
  });

  it("that predate calls use a message for each", async () => {
    const { driver, agent, told, harness } = await setUp();
    const scheduler = driver("scheduler-1@10.0.0.2:7000");
    const say = (name: string, json: Json) => scheduler.say(`mesos.internal.${name}`, json);
    const framework = { user: "u", name: "old", role: "web" };
    say("RegisterFrameworkMessage", { framework: { ...framework, id: { value: "made-up" } } });
    expect(scheduler.hearsOne()).to.deep.equal({
      name: "FrameworkErrorMessage",
      body: { message: "Registering with 'id' already set" },
    });
    say("RegisterFrameworkMessage", { framework });
    const framework_id = scheduler.hearsOne().body.framework_id as { value: string };
    const offer = async (): Promise<Json> => {
      harness.allocator.offer({ frameworkId: framework_id.value, role: "web", agentId: agent.id });
      await harness.settle();
      return (scheduler.hearsOne().body.offers as Json[])[0]!;
    };
    // No tasks: the offer is declined.
    say("LaunchTasksMessage", { framework_id, tasks: [], filters: {}, offer_ids: [(await offer()).id] });
    expect(harness.allocator.free.get(agent.id)!.toString()).to.include("cpus:2");
    say("LaunchTasksMessage", {
      framework_id,
      tasks: [task("t", { agent })],
      filters: {},
      offer_ids: [(await offer()).id],
    });
    await harness.settle();
    expect(told("RunTaskMessage")).to.have.nested.property("task.task_id.value", "t");
    const uuid = agent.update("t", TaskState.TASK_RUNNING).toString("base64");
    scheduler.hears();
    const slave_id = { value: agent.id };
    say("StatusUpdateAcknowledgementMessage", { slave_id, framework_id, task_id: { value: "t" }, uuid });
    expect(told("StatusUpdateAcknowledgementMessage")).to.include({ uuid });
    const message = { slave_id, framework_id, executor_id: { value: "t" }, data: "aGk=" };
    say("FrameworkToExecutorMessage", message);
    expect(told("FrameworkToExecutorMessage")).to.deep.equal(message);
    say("ReconcileTasksMessage", {
      framework_id,
      statuses: [{ task_id: { value: "t" }, state: "TASK_RUNNING" }],
    });
    expect(scheduler.hearsOne().body).to.have.nested.property(
      "update.status.reason",
      "REASON_RECONCILIATION",
    );
    say("KillTaskMessage", { framework_id, task_id: { value: "t" } });
    expect(told("KillTaskMessage")).to.deep.equal({ framework_id, task_id: { value: "t" } });
    say("ReviveOffersMessage", { framework_id });
    say("ResourceRequestMessage", { framework_id, requests: [] });
    say("ReregisterFrameworkMessage", { framework, failover: false });
    expect(scheduler.hearsOne().body).to.deep.equal({ message: "Re-registering without an 'id'" });
    say("ReregisterFrameworkMessage", { framework: { ...framework, id: framework_id }, failover: false });
    expect(scheduler.hearsOne().name).to.equal("FrameworkReregisteredMessage");
    say("UnregisterFrameworkMessage", { framework_id });
    expect(frameworksOf(harness).size).to.equal(0);
  });

  it("are told of agents and executors that are lost, and what executors say", async () => {
    const { scheduler, id, offer, agent, harness } = await registered();
    const offered = await offer();
    const executor = { executor_id: { value: "e" }, framework_id: id, command: { value: "run" } };
    const { command, ...rest } = task("t", { agent });
    const launch = { type: "LAUNCH", launch: { task_infos: [{ ...rest, executor }] } };
    scheduler.call({
      type: "ACCEPT",
      framework_id: id,
      accept: { offer_ids: [offered.id], operations: [launch] },
    });
    await harness.settle();
    const of = { slave_id: { value: agent.id }, framework_id: id, executor_id: { value: "e" } };
    const say = (name: "ExecutorToFrameworkMessage" | "ExitedExecutorMessage", json: Json) => {
      const full = `mesos.internal.${name}` as const;
      const { fromValue } = jsonOf(full) as { fromValue(value: unknown): unknown };
      agent.say(name, (wire(full) as { encode(message: unknown): Uint8Array }).encode(fromValue(json)));
    };
    say("ExecutorToFrameworkMessage", { ...of, data: "aGk=" });
    expect(scheduler.hearsOne()).to.deep.equal({
      name: "ExecutorToFrameworkMessage",
      body: { ...of, data: "aGk=" },
    });
    say("ExitedExecutorMessage", { ...of, status: 256 });
    expect(scheduler.hearsOne()).to.deep.equal({
      name: "ExitedExecutorMessage",
      body: { ...of, status: 256 },
    });
    agent.say(
      "UnregisterSlaveMessage",
      wire("mesos.internal.UnregisterSlaveMessage").encode({ slave_id: of.slave_id }),
    );
    await harness.settle();
    expect(scheduler.hears().at(-1)).to.deep.equal({
      name: "LostSlaveMessage",
      body: { slave_id: of.slave_id },
    });
  });

  it("end where another instance took their place, and are refused where they try to take one's that is there", async () => {
    const { scheduler, id, driver, told } = await registered();
    const late = driver("scheduler-2@10.0.0.3:7000");
    late.subscribe({ id });
    expect(late.hearsOne()).to.deep.equal({
      name: "FrameworkErrorMessage",
      body: { message: "Framework failed over" },
    });
    late.subscribe({ id }, { force: true });
    expect(late.hearsOne().name).to.equal("FrameworkRegisteredMessage");
    expect(scheduler.hearsOne().body).to.deep.equal({ message: "Framework failed over" });
    expect(told("UpdateFrameworkMessage")).to.deep.include({ framework_id: id, pid: late.pid });
    scheduler.call({ type: "TEARDOWN", framework_id: id });
    expect(scheduler.hears()).to.deep.equal([]);
    late.subscribe({ id: { value: "another" } });
    expect(late.hears()).to.deep.equal([]);
  });

  it("resume when the link to them broke, and know which offers they have lost", async () => {
    const { scheduler, id, offer, harness, framework } = await registered();
    await offer();
    harness.transport.breakLink(scheduler.pid);
    expect(scheduler.hearsOne().body).to.deep.equal({ message: "Framework disconnected" });
    expect(framework().connected).to.equal(false);
    scheduler.call({ type: "REVIVE", framework_id: id });
    expect(scheduler.hearsOne().body).to.deep.equal({ message: "Framework disconnected" });
    scheduler.subscribe({ id });
    expect(scheduler.hearsOne().name).to.equal("FrameworkReregisteredMessage");
    await offer();
    // Unasked for: the link broke on its side only.
    scheduler.subscribe({ id });
    expect(scheduler.hears().map(({ name }) => name)).to.deep.equal([
      "RescindResourceOfferMessage",
      "FrameworkReregisteredMessage",
    ]);
    harness.transport.breakLink(scheduler.pid);
    scheduler.hears();
    await harness.clock.advance(60_000);
    expect(frameworksOf(harness).size).to.equal(0);
  });

  it("are registered by the next master with the id that they have", async () => {
    const { scheduler, id, harness, framework } = await registered();
    await harness.restart();
    scheduler.subscribe({ id });
    expect(scheduler.hearsOne()).to.deep.include({ name: "FrameworkRegisteredMessage" });
    expect(framework().pid).to.equal(scheduler.pid);
  });

  it("get no more offers after an abort, until they come back", async () => {
    const { scheduler, id, offer, framework } = await registered();
    await offer();
    scheduler.say("mesos.internal.DeactivateFrameworkMessage", { framework_id: id });
    expect(scheduler.hearsOne().name).to.equal("RescindResourceOfferMessage");
    expect([framework().active, framework().connected]).to.deep.equal([false, true]);
    scheduler.subscribe({ id }, { force: true });
    expect(scheduler.hearsOne().name).to.equal("FrameworkRegisteredMessage");
    expect(framework().active).to.equal(true);
  });

  it("can become schedulers over HTTP and come back from that", async () => {
    const { scheduler, id, harness, framework } = await registered();
    const framework_info = {
      id,
      user: "u",
      name: "driven",
      roles: ["web"],
      capabilities: [{ type: "MULTI_ROLE" }],
    };
    const stream = harness.subscribe(
      JSON.stringify({ type: "SUBSCRIBE", framework_id: id, subscribe: { framework_info } }),
    );
    expect(scheduler.hearsOne().body).to.deep.equal({ message: "Framework failed over" });
    expect(framework().pid).to.equal(undefined);
    scheduler.subscribe({ id });
    expect(scheduler.hearsOne().body).to.deep.equal({ message: "Framework failed over" });
    scheduler.subscribe({ id }, { force: true });
    expect(scheduler.hearsOne().name).to.equal("FrameworkRegisteredMessage");
    expect(stream.closed).to.equal(true);
  });

  it("are told why they are refused; messages of unknown senders are dropped", async () => {
    const { scheduler, id, driver, harness, framework } = await registered();
    const other = driver("scheduler-9@10.0.0.9:7000");
    other.subscribe({ roles: ["/no"] });
    expect(other.hearsOne().name).to.equal("FrameworkErrorMessage");
    const dropped = () => harness.metrics.snapshot().get("master/dropped_messages");
    const before = dropped()!;
    other.call({ type: "TEARDOWN", framework_id: id });
    other.call({ type: "TEARDOWN", framework_id: { value: "none" } });
    other.say("mesos.internal.UnregisterFrameworkMessage", { framework_id: id });
    other.say("mesos.internal.DeactivateFrameworkMessage", { framework_id: id });
    scheduler.call({ type: "ACCEPT", framework_id: id });
    scheduler.call({ type: "RECONCILE_OPERATIONS", framework_id: id, reconcile_operations: {} });
    harness.transport.deliver("master", {
      from: scheduler.pid,
      name: "mesos.scheduler.Call",
      body: Buffer.from([0xff, 0xff]),
    });
    expect(dropped()).to.equal(before + 7);
    expect([framework().connected, framework().active]).to.deep.equal([true, true]);
    expect(other.hears()).to.deep.equal([]);
  });
});
