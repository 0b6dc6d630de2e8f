import { expect } from "chai";
import { Call_Type, type Event, Event_Type } from "../../../proto/gen/mesos/v1/executor/executor.js";
import { TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import {
  CallRefusedError,
  NotSubscribedError,
  UnavailableError,
  UnreachableError,
} from "../../../sdk/client/index.js";
import type { PartialMessage } from "../../../sdk/client/partial.js";
import {
  ExecutorClient,
  type ExecutorEnvironment,
  ExecutorRefusedError,
  executorEnvironment,
} from "../../../sdk/executor/index.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { FakeAgent } from "./fake-agent.js";

const VARIABLES = {
  MESOS_AGENT_ENDPOINT: "127.0.0.1:5051",
  MESOS_FRAMEWORK_ID: "fw-1",
  MESOS_EXECUTOR_ID: "ex-1",
  MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: "5secs",
  MESOS_CHECKPOINT: "1",
  MESOS_RECOVERY_TIMEOUT: "15mins",
  MESOS_SUBSCRIPTION_BACKOFF_MAX: "2secs",
};

describe("ExecutorClient", () => {
  let clock: VirtualClock;
  let agent: FakeAgent;
  let client: ExecutorClient;
  let exits: number[];

  const make = (variables: Partial<typeof VARIABLES> = {}): ExecutorClient => {
    const environment: ExecutorEnvironment = executorEnvironment({ ...VARIABLES, ...variables });
    client = new ExecutorClient({
      environment,
      transport: agent,
      clock,
      random: new SeededRandom(2),
      exit: (code) => void exits.push(code),
    });
    return client;
  };

  const settle = (): Promise<void> => clock.advance(0);

  const subscribed = async (variables: Partial<typeof VARIABLES> = {}): Promise<ExecutorClient> => {
    make(variables);
    const started = client.start();
    await settle();
    agent.last.accept();
    await started;
    return client;
  };

  const launch = (taskId: string): PartialMessage<Event> => ({
    type: Event_Type.LAUNCH,
    launch: { task: { name: taskId, task_id: { value: taskId }, agent_id: { value: "a" } } },
  });

  beforeEach(() => {
    clock = new VirtualClock();
    agent = new FakeAgent();
    exits = [];
  });

  afterEach(async () => {
    const closed = client.close();
    await clock.advance(10_000);
    await closed;
  });

  it("says who it is with every call", async () => {
    await subscribed();
    await client.message(new Uint8Array([1]));
    for (const call of [agent.last.subscribe, ...agent.last.calls]) {
      expect(call.executor_id?.value).to.equal("ex-1");
      expect(call.framework_id?.value).to.equal("fw-1");
    }
    expect(agent.last.calls[0]?.message?.data?.[0]).to.equal(1);
  });

  it("completes updates and resolves when the agent acknowledges", async () => {
    await subscribed();
    let acknowledged = false;
    const update = client
      .update({ task_id: "t1", state: TaskState.TASK_RUNNING, message: "hi" })
      .then(() => (acknowledged = true));
    await settle();
    const [call] = agent.last.calls;
    const status = call!.update!.status!;
    expect(status).to.deep.include({
      task_id: { value: "t1" },
      state: TaskState.TASK_RUNNING,
      message: "hi",
    });
    expect(status.executor_id?.value).to.equal("ex-1");
    expect(status.uuid).to.have.length(16);
    expect(status.timestamp).to.equal(clock.now() / 1000);
    expect(acknowledged).to.equal(false);
    agent.last.acknowledge(call!);
    await update;
  });

  it("hands over what was not acknowledged when it subscribes again", async () => {
    await subscribed();
    for (const task of ["t1", "t2"]) agent.last.emit(launch(task));
    await settle();
    void client.update({ task_id: "t1", state: TaskState.TASK_STARTING });
    void client.update({ task_id: "t1", state: TaskState.TASK_RUNNING });
    await settle();
    agent.last.acknowledge(agent.last.calls[0]!);
    await settle();
    agent.last.put(new UnreachableError("gone"));
    await settle();
    void client.update({ task_id: "t2", state: TaskState.TASK_RUNNING });
    await clock.advance(2000);
    const { unacknowledged_tasks, unacknowledged_updates } = agent.last.subscribe.subscribe!;
    expect(agent.streams).to.have.length(2);
    expect(unacknowledged_tasks.map((task) => task.task_id?.value)).to.deep.equal(["t2"]);
    expect(
      unacknowledged_updates.map(({ status }) => `${status?.task_id?.value} ${TaskState[status!.state!]}`),
    ).to.deep.equal(["t1 TASK_RUNNING", "t2 TASK_RUNNING"]);
    // Made while SUBSCRIBE was under way: not in it, so sent once there is a subscription.
    void client.update({ task_id: "t2", state: TaskState.TASK_FINISHED });
    agent.last.accept();
    await settle();
    expect(agent.last.calls.map((call) => TaskState[call.update!.status!.state!])).to.deep.equal([
      "TASK_FINISHED",
    ]);
  });

  it("reports updates that the agent refuses", async () => {
    await subscribed();
    agent.last.refusal = new CallRefusedError("bad state", 400);
    const error = await client
      .update({ task_id: "t1", state: TaskState.TASK_STAGING })
      .catch((reason: unknown) => reason);
    expect(error).to.equal(agent.last.refusal);
  });

  it("passes on kills, messages and groups, typed", async () => {
    make();
    const events = client.events();
    await settle();
    agent.last.accept();
    agent.last.emit({ type: Event_Type.KILL, kill: { task_id: { value: "t1" } } });
    agent.last.emit({ type: Event_Type.MESSAGE, message: { data: Buffer.from("x") } });
    agent.last.emit({ type: Event_Type.LAUNCH_GROUP, launch_group: { task_group: { tasks: [] } } });
    agent.last.emit({ type: 77 as Event_Type });
    agent.last.emit({ type: Event_Type.HEARTBEAT });
    const types: string[] = [];
    for (let i = 0; i < 5; i++) types.push((await events.next()).value.type);
    expect(types).to.deep.equal(["subscribed", "kill", "message", "launch_group", "heartbeat"]);
  });

  describe("when told to shut down", () => {
    it("lets the handlers finish and waits for the acknowledgements", async () => {
      await subscribed();
      client.on("shutdown", async () => {
        void client.update({ task_id: "t1", state: TaskState.TASK_KILLED });
      });
      agent.last.emit({ type: Event_Type.SHUTDOWN });
      await clock.advance(1000);
      expect(agent.last.calls).to.have.length(1);
      agent.last.acknowledge(agent.last.calls[0]!);
      await client.finished;
      await clock.advance(60_000);
      expect(exits).to.deep.equal([]);
    });

    it("exits when the grace period is over", async () => {
      await subscribed();
      client.on("shutdown", () => new Promise(() => undefined));
      agent.last.emit({ type: Event_Type.SHUTDOWN });
      await clock.advance(4900);
      expect(exits).to.deep.equal([]);
      await clock.advance(200);
      expect(exits).to.deep.equal([1]);
    });
  });

  describe("when the agent goes away", () => {
    it("shuts down at once without checkpointing", async () => {
      await subscribed({ MESOS_CHECKPOINT: "0" });
      const seen: string[] = [];
      client.on("disconnected", () => void seen.push("disconnected"));
      client.on("shutdown", () => void seen.push("shutdown"));
      agent.last.put("end");
      await client.finished;
      expect(seen).to.deep.equal(["disconnected", "shutdown"]);
      expect(agent.asked).to.equal(1);
    });

    it("waits for it until the recovery timeout with checkpointing", async () => {
      await subscribed();
      let shutdowns = 0;
      client.on("shutdown", () => void shutdowns++);
      agent.refusal = new UnreachableError("refused");
      agent.last.put("end");
      await clock.advance(14 * 60_000);
      expect(shutdowns).to.equal(0);
      expect(agent.asked).to.be.greaterThan(100);
      await clock.advance(2 * 60_000);
      expect(shutdowns).to.equal(1);
      await client.finished;
    });

    it("has patience with an agent that recovers, also at the start", async () => {
      agent.refusal = new UnavailableError("recovering");
      make({ MESOS_CHECKPOINT: "0" });
      const started = client.start();
      await clock.advance(10_000);
      agent.refusal = undefined;
      await clock.advance(2000);
      agent.last.accept();
      await started;
    });

    it("fails when there never was one", async () => {
      agent.refusal = new UnreachableError("refused");
      const error = await make()
        .start()
        .catch((reason: unknown) => reason);
      expect(error).to.equal(agent.refusal);
    });
  });

  it("ends with the agent's ERROR", async () => {
    await subscribed();
    const ended = client.finished.catch((error: unknown) => error);
    agent.last.emit({ type: Event_Type.ERROR, error: { message: "unknown executor" } });
    expect(await ended)
      .to.be.instanceOf(ExecutorRefusedError)
      .with.property("detail", "unknown executor");
    const late = await client
      .update({ task_id: "t", state: TaskState.TASK_RUNNING })
      .catch((reason: unknown) => reason);
    expect(late).to.be.instanceOf(NotSubscribedError);
  });

  it("ends with the error of a handler", async () => {
    await subscribed();
    const fault = new Error("fault");
    const ended = client.finished.catch((error: unknown) => error);
    client.on("launch", () => {
      throw fault;
    });
    agent.last.emit(launch("t1"));
    expect(await ended).to.equal(fault);
  });

  it("sends heartbeats every half hour", async () => {
    await subscribed();
    await clock.advance(61 * 60_000);
    expect(agent.last.calls.map((call) => call.type)).to.deep.equal([
      Call_Type.HEARTBEAT,
      Call_Type.HEARTBEAT,
    ]);
  });
});

describe("the environment of an executor", () => {
  it("is read in Mesos's forms", () => {
    const environment = executorEnvironment({ ...VARIABLES, MESOS_SANDBOX: "/mnt/mesos/sandbox" });
    expect(environment).to.deep.include({
      frameworkId: "fw-1",
      executorId: "ex-1",
      shutdownGracePeriod: 5000,
      checkpoint: true,
      recoveryTimeout: 900_000,
      subscriptionBackoffMax: 2000,
      directory: "/mnt/mesos/sandbox",
    });
    expect(environment.agent).to.include({ host: "127.0.0.1", port: 5051 });
  });

  it("is refused with everything that is wrong", () => {
    const read = () =>
      executorEnvironment({ MESOS_FRAMEWORK_ID: "f", MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: "5 seconds" });
    expect(read).to.throw("MESOS_AGENT_ENDPOINT is not set");
    expect(read).to.throw("MESOS_EXECUTOR_ID is not set");
    expect(read).to.throw("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: ");
  });
});
