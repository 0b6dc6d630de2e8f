import { expect } from "chai";
import { TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import { type Event, Event_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import {
  AuthenticationError,
  CallRefusedError,
  NotLeaderError,
  NotSubscribedError,
  UnavailableError,
  UnreachableError,
} from "../../../sdk/client/index.js";
import type { PartialMessage } from "../../../sdk/client/partial.js";
import {
  FrameworkFailedOverError,
  FrameworkRefusedError,
  FrameworkRemovedError,
  SchedulerClient,
  type SchedulerClientOptions,
} from "../../../sdk/scheduler/index.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { FakeTransport } from "./fake-transport.js";

const update = (uuid: string | undefined, taskId = "t1"): PartialMessage<Event> => ({
  type: Event_Type.UPDATE,
  update: {
    status: {
      task_id: { value: taskId },
      agent_id: { value: "a1" },
      state: TaskState.TASK_RUNNING,
      ...(uuid !== undefined && { uuid: Buffer.from(uuid) }),
    },
  },
});

const failure = (client: SchedulerClient): Promise<unknown> =>
  client.finished.then(
    () => "no failure",
    (error: unknown) => error,
  );

describe("SchedulerClient", () => {
  let clock: VirtualClock;
  let transport: FakeTransport;
  let client: SchedulerClient;

  const make = (options: Partial<SchedulerClientOptions> = {}): SchedulerClient => {
    client = new SchedulerClient({
      master: "m1,m2",
      framework: { name: "test" },
      transport,
      clock,
      random: new SeededRandom(7),
      ...options,
    });
    return client;
  };

  const settle = (): Promise<void> => clock.advance(0);

  /** A client that is subscribed on the first master. */
  const subscribed = async (options: Partial<SchedulerClientOptions> = {}): Promise<SchedulerClient> => {
    make(options);
    const started = client.start();
    await settle();
    transport.last.subscribed();
    await started;
    return client;
  };

  beforeEach(() => {
    clock = new VirtualClock();
    transport = new FakeTransport();
  });

  afterEach(async () => {
    const closed = client.close();
    await clock.advance(60_000);
    await closed;
  });

  describe("subscribing", () => {
    it("sends the FrameworkInfo and learns its id", async () => {
      await subscribed({ framework: { name: "n", user: "u", roles: ["dev"] }, suppressedRoles: ["dev"] });
      const { call } = transport.last.request;
      expect(call.framework_id).to.equal(undefined);
      expect(call.subscribe?.framework_info).to.include({ name: "n", user: "u" });
      expect(call.subscribe?.framework_info?.roles).to.deep.equal(["dev"]);
      expect(call.subscribe?.suppressed_roles).to.deep.equal(["dev"]);
      expect(client.frameworkId).to.equal("fw-1");
      expect(client.connected).to.equal(true);
    });

    it("takes a framework over by its id", async () => {
      await subscribed({ framework: { name: "n", id: { value: "fw-9" } } });
      const { call } = transport.last.request;
      expect(call.framework_id?.value).to.equal("fw-9");
      expect(call.subscribe?.framework_info?.id?.value).to.equal("fw-9");
    });

    it("tries the next master at once, then waits", async () => {
      transport.answers.set("m1:5050", new UnreachableError("refused"));
      transport.answers.set("m2:5050", new UnavailableError("503"));
      make()
        .start()
        .catch(() => undefined);
      await settle();
      expect(transport.asked).to.deep.equal(["m1:5050", "m2:5050"]);
      transport.answers.clear();
      await clock.advance(500);
      expect(transport.asked).to.deep.equal(["m1:5050", "m2:5050", "m1:5050"]);
    });

    it("follows a master that does not lead to the one that does", async () => {
      transport.answers.set("m1:5050", new NotLeaderError("m7:5999"));
      const started = make().start();
      await settle();
      expect(transport.asked).to.deep.equal(["m1:5050", "m7:5999"]);
      transport.last.subscribed();
      await started;
    });

    it("does not run in circles between masters that name each other", async () => {
      transport.answers.set("m1:5050", new NotLeaderError("m2:5050"));
      transport.answers.set("m2:5050", new NotLeaderError("m1:5050"));
      make()
        .start()
        .catch(() => undefined);
      await settle();
      expect(transport.asked.length).to.be.lessThan(10);
      const before = transport.asked.length;
      await clock.advance(10_000);
      expect(transport.asked.length).to.be.within(before + 1, before + 60);
    });

    it("goes back to the list when a named leader is dead", async () => {
      transport.answers.set("m1:5050", new NotLeaderError("gone"));
      transport.answers.set("gone:5050", new UnreachableError("refused"));
      make()
        .start()
        .catch(() => undefined);
      await settle();
      expect(transport.asked).to.deep.equal(["m1:5050", "gone:5050", "m2:5050"]);
    });

    it("waits longer and longer, up to the limit", async () => {
      transport.answers.set("m1:5050", new UnreachableError("refused"));
      make({ master: "m1", backoff: { initial: 100, max: 1000 } })
        .start()
        .catch(() => undefined);
      await clock.advance(60_000);
      expect(transport.asked.length).to.be.within(60, 200);
    });

    for (const error of [new AuthenticationError("who?"), new CallRefusedError("bad", 400)]) {
      it(`gives up on ${error.constructor.name}`, async () => {
        transport.answers.set("m1:5050", error);
        const started = make()
          .start()
          .catch((reason: unknown) => reason);
        await settle();
        expect(await started).to.equal(error);
        expect(await failure(client)).to.equal(error);
      });
    }

    it("loses patience when told to", async () => {
      const refused = new UnreachableError("refused");
      transport.answers.set("m1:5050", refused);
      const started = make({ master: "m1", patience: { connect: 5000 } })
        .start()
        .catch((reason: unknown) => reason);
      await clock.advance(30_000);
      expect(await started).to.equal(refused);
    });

    it("says which error ended it", async () => {
      const cases: [string, new (text: string) => Error][] = [
        ["Framework has been removed", FrameworkRemovedError],
        ["Framework failed over", FrameworkFailedOverError],
        [
          "'FrameworkInfo.roles' contains invalid role: Role '/a' cannot start with a slash",
          FrameworkRefusedError,
        ],
      ];
      for (const [message, type] of cases) {
        await subscribed();
        const ended = failure(client);
        transport.last.emit({ type: Event_Type.ERROR, error: { message } });
        await settle();
        expect(await ended)
          .to.be.instanceOf(type)
          .with.property("detail", message);
        expect(client.connected).to.equal(false);
      }
    });
  });

  describe("losing the connection", () => {
    it("subscribes again with the same id and says so", async () => {
      await subscribed();
      const seen: string[] = [];
      client.on("disconnected", ({ reason }) => void seen.push(reason));
      client.on("subscribed", () => void seen.push("subscribed"));
      transport.last.break(new UnreachableError("the connection broke"));
      await settle();
      expect(client.connected).to.equal(false);
      expect(await client.kill("t1").catch((error: unknown) => error)).to.be.instanceOf(NotSubscribedError);
      await clock.advance(500);
      expect(transport.streams).to.have.length(2);
      expect(transport.last.request.call.framework_id?.value).to.equal("fw-1");
      transport.last.subscribed();
      await settle();
      expect(seen).to.have.length(2);
      expect(seen[0]).to.contain("the connection broke");
      expect(seen[1]).to.equal("subscribed");
    });

    it("takes five missing heartbeats for a broken connection", async () => {
      await subscribed();
      await clock.advance(74_000);
      expect(client.connected).to.equal(true);
      await clock.advance(2000);
      expect(transport.streams).to.have.length(2);
      expect(transport.streams[0]!.request.signal.aborted).to.equal(true);
    });

    it("takes fewer, where it is told to, and tries the other masters", async () => {
      make({ missedHeartbeats: 1 });
      const started = client.start();
      await settle();
      transport.last.subscribed("fw-1", 15);
      await started;
      const left = transport.last.request.master.host;
      await clock.advance(14_900);
      expect(client.connected).to.equal(true);
      await clock.advance(1200);
      expect(transport.streams).to.have.length(2);
      expect(transport.last.request.master.host).to.not.equal(left);
      transport.last.subscribed("fw-1", 15);
      await settle();
      expect(client.connected).to.equal(true);
      expect(() => make({ missedHeartbeats: 0 })).to.throw("missedHeartbeats must be more than 0");
    });

    it("keeps a connection on which heartbeats arrive", async () => {
      await subscribed();
      for (let i = 0; i < 20; i++) {
        await clock.advance(15_000);
        transport.last.emit({ type: Event_Type.HEARTBEAT });
      }
      expect(transport.streams).to.have.length(1);
    });

    it("goes by the interval that the master gave", async () => {
      make();
      const started = client.start();
      await settle();
      transport.last.subscribed("fw-1", 1);
      await started;
      await clock.advance(6000);
      expect(transport.streams).to.have.length(2);
    });
  });

  describe("acknowledgements", () => {
    it("are sent when the handlers have returned, promises included", async () => {
      await subscribed();
      let release!: () => void;
      client.on("update", () => new Promise<void>((resolve) => (release = resolve)));
      transport.last.emit(update("u1"));
      await settle();
      expect(transport.last.calls).to.deep.equal([]);
      release();
      await settle();
      const [call] = transport.last.calls;
      expect(transport.last.types()).to.deep.equal(["ACKNOWLEDGE"]);
      expect(call?.framework_id?.value).to.equal("fw-1");
      expect(call?.acknowledge).to.deep.include({ task_id: { value: "t1" }, agent_id: { value: "a1" } });
      expect(call?.acknowledge?.uuid?.toString()).to.equal("u1");
    });

    it("are sent for an iteration when it asks for the next event", async () => {
      make();
      const events = client.events();
      await settle();
      transport.last.subscribed();
      transport.last.emit(update("u1"));
      expect((await events.next()).value).to.include({ type: "subscribed" });
      expect((await events.next()).value).to.include({ type: "update" });
      await settle();
      expect(transport.last.types()).to.deep.equal([]);
      const next = events.next();
      await settle();
      expect(transport.last.types()).to.deep.equal(["ACKNOWLEDGE"]);
      transport.last.emit({ type: Event_Type.HEARTBEAT });
      expect((await next).value).to.deep.equal({ type: "heartbeat" });
    });

    it("are not sent for updates without uuid", async () => {
      await subscribed();
      transport.last.emit(update(undefined));
      await settle();
      expect(transport.last.calls).to.deep.equal([]);
    });

    it("are left to the framework in manual mode", async () => {
      await subscribed({ acknowledgements: "manual" });
      client.on("update", ({ status }) => {
        if (status.task_id?.value === "mine") void client.acknowledge(status);
      });
      transport.last.emit(update("u1", "other"));
      transport.last.emit(update("u2", "mine"));
      await settle();
      expect(transport.last.calls.map((call) => call.acknowledge?.task_id?.value)).to.deep.equal(["mine"]);
    });

    it("are not sent when a handler fails, which ends the client", async () => {
      await subscribed();
      const ended = failure(client);
      const fault = new Error("fault");
      client.on("update", () => Promise.reject(fault));
      transport.last.emit(update("u1"));
      await settle();
      expect(await ended).to.equal(fault);
      expect(transport.last.calls).to.deep.equal([]);
    });
  });

  describe("events", () => {
    it("come typed and in order, without unknown ones", async () => {
      make();
      const events = client.events();
      await settle();
      transport.last.subscribed();
      transport.last.emit({ type: Event_Type.UNKNOWN });
      transport.last.emit({ type: 99 as Event_Type });
      transport.last.emit({ type: Event_Type.RESCIND, rescind: { offer_id: { value: "o1" } } });
      transport.last.emit({
        type: Event_Type.FAILURE,
        failure: { agent_id: { value: "a1" }, executor_id: { value: "e1" }, status: 9 },
      });
      await events.next();
      expect((await events.next()).value).to.deep.equal({ type: "rescind", offer_id: { value: "o1" } });
      expect((await events.next()).value).to.deep.equal({
        type: "failure",
        agent_id: { value: "a1" },
        executor_id: { value: "e1" },
        status: 9,
      });
    });

    it("end an iteration when the client is closed, and throw what ended it otherwise", async () => {
      make();
      let events = client.events();
      await settle();
      transport.last.subscribed();
      await events.next();
      const closed = client.close();
      expect(await events.next()).to.deep.equal({ done: true, value: undefined });
      await closed;

      make();
      events = client.events();
      await settle();
      transport.last.emit({ type: Event_Type.ERROR, error: { message: "Framework has been removed" } });
      const thrown = await events.next().catch((error: unknown) => error);
      expect(thrown).to.be.instanceOf(FrameworkRemovedError);
    });

    it("hold the stream when a loop is far behind", async () => {
      make();
      const events = client.events();
      await settle();
      transport.last.subscribed();
      const tasks = Array.from({ length: 1000 }, (_, i) => `t${i}`);
      for (const task of tasks) transport.last.emit(update(undefined, task));
      await settle();
      // Silence does not count while this side is the one that holds.
      await clock.advance(600_000);
      expect(transport.streams).to.have.length(1);
      await events.next();
      for (const task of tasks) {
        const { value } = await events.next();
        expect(value.status.task_id.value).to.equal(task);
      }
    });

    it("stop for a handler that was taken off", async () => {
      await subscribed();
      let count = 0;
      const off = client.on("heartbeat", () => void count++);
      transport.last.emit({ type: Event_Type.HEARTBEAT });
      await settle();
      off();
      transport.last.emit({ type: Event_Type.HEARTBEAT });
      await settle();
      expect(count).to.equal(1);
    });
  });

  describe("calls", () => {
    it("fill in the framework's id and the offer's agent", async () => {
      await subscribed();
      const offer = {
        id: { value: "o1" },
        agent_id: { value: "a1" },
        resources: [],
        attributes: [],
        executor_ids: [],
      };
      await client.launch(offer, [{ name: "x", task_id: { value: "t1" } }], { refuse_seconds: 0 });
      await client.decline([offer, "o2"]);
      await client.kill("t1", { agentId: "a1" });
      await client.reconcile([{ taskId: "t1" }]);
      await client.suppress(["dev"]);
      await client.revive();
      await client.message({ agentId: "a1", executorId: "e1" }, new Uint8Array([1, 2]));
      await client.shutdown({ agentId: "a1", executorId: "e1" });
      const { calls } = transport.last;
      expect(transport.last.types().join()).to.equal(
        "ACCEPT,DECLINE,KILL,RECONCILE,SUPPRESS,REVIVE,MESSAGE,SHUTDOWN",
      );
      expect(new Set(calls.map((call) => call.framework_id?.value))).to.deep.equal(new Set(["fw-1"]));
      const launch = calls[0]!.accept!;
      expect(launch.offer_ids).to.deep.equal([{ value: "o1" }]);
      expect(launch.operations[0]!.launch!.task_infos[0]!.agent_id).to.deep.equal({ value: "a1" });
      expect(launch.filters).to.deep.equal({ refuse_seconds: 0 });
      expect(calls[1]!.decline!.offer_ids).to.deep.equal([{ value: "o1" }, { value: "o2" }]);
      expect(Buffer.from(calls[6]!.message!.data!)).to.deep.equal(Buffer.from([1, 2]));
    });

    it("reject before the subscription and after the end", async () => {
      make();
      expect(await client.suppress().catch((error: unknown) => error)).to.be.instanceOf(NotSubscribedError);
      await subscribed();
      await client.close();
      expect(await client.suppress().catch((error: unknown) => error)).to.be.instanceOf(NotSubscribedError);
    });

    it("pass a refusal on and leave the subscription alone", async () => {
      await subscribed();
      transport.last.refusal = new CallRefusedError("no such offer", 400);
      expect(await client.decline("o1").catch((error: unknown) => error)).to.equal(transport.last.refusal);
      expect(client.connected).to.equal(true);
    });

    it("may replace the FrameworkInfo, which later subscriptions then use", async () => {
      await subscribed({ framework: { name: "n", user: "u", roles: ["a"] } });
      await client.updateFramework({ framework: { user: "u", roles: ["a", "b"] }, suppressedRoles: ["b"] });
      const [call] = transport.last.calls;
      expect(call?.update_framework?.framework_info).to.deep.include({ name: "n", roles: ["a", "b"] });
      expect(call?.update_framework?.framework_info?.id?.value).to.equal("fw-1");
      transport.last.end();
      await clock.advance(1000);
      expect(transport.last.request.call.subscribe?.framework_info?.roles).to.deep.equal(["a", "b"]);
      expect(transport.last.request.call.subscribe?.suppressed_roles).to.deep.equal(["b"]);
    });
  });

  describe("ending", () => {
    it("leaves the framework alone by default", async () => {
      await subscribed();
      await client.close();
      expect(transport.last.calls).to.deep.equal([]);
      await client.finished;
    });

    it("tears the framework down when told to, though the master closes the stream first", async () => {
      await subscribed();
      const stream = transport.last;
      const send = stream.send.bind(stream);
      stream.send = async (call) => {
        await send(call);
        stream.end();
        await settle();
      };
      await client.close({ teardown: true });
      await clock.advance(60_000);
      expect(stream.types()).to.deep.equal(["TEARDOWN"]);
      expect(transport.streams).to.have.length(1);
      await client.finished;
    });

    it("works before anything was started", async () => {
      make();
      await client.close();
      expect(transport.asked).to.deep.equal([]);
    });

    it("stops the attempts to subscribe", async () => {
      transport.answers.set("m1:5050", new UnreachableError("refused"));
      make({ master: "m1" })
        .start()
        .catch(() => undefined);
      await settle();
      await client.close();
      const { length } = transport.asked;
      await clock.advance(60_000);
      expect(transport.asked).to.have.length(length);
    });
  });
});
