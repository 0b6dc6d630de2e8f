import { expect } from "chai";
import { ResourceState } from "../../../proto/gen/mesos/internal/state.js";
import {
  type Offer_Operation,
  type Operation,
  OperationState,
  Offer_Operation_Type as OperationType,
  Resource_ReservationInfo_Type as ReservationType,
  type Resource,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../../sdk/resources/index.js";
import { AGENT_ID, AgentBench, FRAMEWORK_ID, line, scalar } from "./support/agent-bench.js";

const reserved = (resource: Resource): Resource => ({
  ...resource,
  reservations: [{ type: ReservationType.DYNAMIC, role: "dev", principal: "p" }],
});

const volume = (id: string, mb = 10): Resource => ({
  ...reserved(scalar("disk", mb)),
  disk: { persistence: { id, principal: "p" }, volume: { container_path: "data", mode: 1 } },
});

const allocated = (resource: Resource): Resource => ({ ...resource, allocation_info: { role: "dev" } });

const pathOf = (id: string): string => `/srv/volumes/roles/dev/${id}`;

const reserve = (...resources: Resource[]): Offer_Operation => ({
  type: OperationType.RESERVE,
  reserve: { source: [], resources: resources.map(allocated) },
});

const create = (...volumes: Resource[]): Offer_Operation => ({
  type: OperationType.CREATE,
  create: { volumes: volumes.map(allocated) },
});

const destroy = (...volumes: Resource[]): Offer_Operation => ({
  type: OperationType.DESTROY,
  destroy: { volumes: volumes.map(allocated) },
});

const uuid = (number: number): { value: Buffer } => {
  const value = Buffer.alloc(16);
  value.writeUInt8(number, 15);
  return { value };
};

class Operated {
  private constructor(readonly bench: AgentBench) {}

  static async begin(): Promise<Operated> {
    const operated = new Operated(new AgentBench());
    operated.bench.agent.state.info.resources.push(scalar("disk", 1000));
    await operated.bench.agent.resources.restore({ committed: [], operations: [], target: undefined });
    operated.bench.agent.start();
    operated.bench.master.lead();
    await operated.bench.clock.advance(1000);
    operated.bench.master.say("SlaveRegisteredMessage", { slave_id: { value: AGENT_ID } });
    return operated;
  }

  /** The version that the agent registered with. */
  get version(): { value?: Buffer | undefined } {
    return this.bench.master.heard("RegisterSlaveMessage")[0]!.resource_version_uuid!;
  }

  apply(number: number, info: Offer_Operation, version = this.version): Promise<void> {
    this.bench.master.say("ApplyOperationMessage", {
      framework_id: { value: FRAMEWORK_ID },
      operation_info: { ...info, id: { value: `op${number}` } },
      operation_uuid: uuid(number),
      resource_version_uuid: { uuid: version },
    });
    return this.bench.settle();
  }

  /** A task on a volume that is just being made. */
  runWithVolume(): void {
    void this.apply(1, reserve(reserved(scalar("disk", 10))));
    void this.apply(2, create(volume("v1")));
    const resources = [scalar("cpus", 1, "dev"), allocated(volume("v1"))];
    this.bench.run(this.bench.task("t1", { resources }), this.bench.framework({ checkpoint: true }));
  }

  /** `op1 OPERATION_FINISHED` for each status that the master was sent. */
  get told(): string[] {
    return this.bench.master.heard("UpdateOperationStatusMessage").map(({ status }) => {
      const message = status?.message === undefined ? "" : `: ${status.message}`;
      return `${status?.operation_id?.value} ${OperationState[status?.state ?? 0]}${message}`;
    });
  }

  acknowledge(number: number): Promise<void> {
    const heard = this.bench.master.heard("UpdateOperationStatusMessage");
    const told = heard.findLast(({ operation_uuid }) => operation_uuid?.value?.at(-1) === number);
    this.bench.master.say("AcknowledgeOperationStatusMessage", {
      status_uuid: told!.status!.uuid,
      operation_uuid: uuid(number),
    });
    return this.bench.settle();
  }

  /** What a later run of the agent would read. */
  get saved(): ResourceState {
    const written = this.bench.disk.operations.findLast(
      (step) => step.op === "write" && step.path.endsWith("resources_and_operations.target"),
    );
    if (written?.op !== "write") throw new Error("nothing is written down");
    return ResourceState.decode(Buffer.from(written.data).subarray(4));
  }
}

describe("operations on an agent", () => {
  it("change its resources and disk, and are told until their end is acknowledged", async () => {
    const it = await Operated.begin();
    await it.apply(1, reserve(reserved(scalar("disk", 10)), reserved(scalar("cpus", 1))));
    await it.apply(2, create(volume("v1")));
    const { state } = it.bench.agent;
    expect(state.total.reserved("dev").cpus).to.equal(1);
    expect(it.bench.disk.paths("mkdir")).to.include(pathOf("v1"));
    expect(it.told).to.deep.equal(["op1 OPERATION_FINISHED", "op2 OPERATION_FINISHED"]);
    await it.acknowledge(1);
    await it.bench.clock.advance(10_000);
    expect(it.told.slice(2)).to.deep.equal(["op2 OPERATION_FINISHED"]);
    await it.acknowledge(2);
    await it.bench.clock.advance(600_000);
    expect(it.told).to.have.length(3);
    expect(state.operations.size).to.equal(0);
    expect(it.saved.operations).to.deep.equal([]);
    expect(it.saved.resources).to.have.length(2);
  });

  it("are written down with their end before it is told", async () => {
    const it = await Operated.begin();
    let toldBefore: number | undefined;
    it.bench.disk.failing = (step) => {
      if (step.op === "rename" && step.path.endsWith(".state")) toldBefore ??= it.told.length;
      return false;
    };
    await it.apply(1, reserve(reserved(scalar("cpus", 1))));
    expect(toldBefore).to.equal(0);
    const [operation] = it.saved.operations;
    expect(operation!.latest_status!.state).to.equal(OperationState.OPERATION_FINISHED);
    expect(operation!.latest_status!.uuid).not.to.equal(undefined);
  });

  it("have not ended for a master that takes the agent while that is being written down", async () => {
    const it = await Operated.begin();
    let told: string[] | undefined;
    let reported: (OperationState | undefined)[] | undefined;
    it.bench.disk.failing = (step) => {
      if (told === undefined && step.op === "rename" && step.path.endsWith(".state")) {
        const accepted = { slave_id: { value: AGENT_ID }, reconciliations: [] };
        it.bench.master.say("SlaveReregisteredMessage", accepted);
        told = it.told;
        const report = it.bench.master.heard("UpdateSlaveMessage").at(-1)!;
        reported = report.operations!.operations.map(({ latest_status }) => latest_status?.state);
      }
      return false;
    };
    await it.apply(1, reserve(reserved(scalar("cpus", 1))));
    expect(told).to.deep.equal([]);
    expect(reported).to.deep.equal([OperationState.OPERATION_PENDING]);
    expect(it.told).to.deep.equal(["op1 OPERATION_FINISHED"]);
  });

  it("free the space of destroyed volumes without touching what is mounted there", async () => {
    const it = await Operated.begin();
    await it.apply(1, reserve(reserved(scalar("disk", 10))));
    await it.apply(2, create(volume("v1")));
    await it.apply(3, destroy(volume("v1")));
    const [moved] = it.bench.disk.operations.filter((step) => step.op === "move-aside");
    expect(moved).to.deep.include({ from: pathOf("v1") });
    expect(moved!.path).to.match(/^\/srv\/removing\//);
    expect(it.bench.disk.paths("remove")).to.deep.equal([moved!.path]);
    expect(it.told.at(-1)).to.equal("op3 OPERATION_FINISHED");
  });

  it("resize volumes that keep their directory", async () => {
    const it = await Operated.begin();
    await it.apply(1, reserve(reserved(scalar("disk", 20))));
    await it.apply(2, create(volume("v1")));
    const before = it.bench.disk.paths("mkdir").length;
    const grow_volume = {
      volume: allocated(volume("v1")),
      addition: allocated(reserved(scalar("disk", 10))),
    };
    await it.apply(3, { type: OperationType.GROW_VOLUME, grow_volume });
    expect(it.bench.agent.state.total.persistentVolumes().disk).to.equal(20);
    const shrink_volume = { volume: allocated(volume("v1", 20)), subtract: { value: 15 } };
    await it.apply(4, { type: OperationType.SHRINK_VOLUME, shrink_volume });
    expect(it.bench.agent.state.total.persistentVolumes().disk).to.equal(5);
    expect(it.bench.disk.paths("mkdir")).to.have.length(before);
    expect(it.bench.disk.operations.filter(({ op }) => op === "move-aside")).to.deep.equal([]);
  });

  it("never destroy a volume that a task uses", async () => {
    const it = await Operated.begin();
    await it.apply(1, reserve(reserved(scalar("disk", 10))));
    await it.apply(2, create(volume("v1")));
    it.bench.run(it.bench.task("t1", { resources: [scalar("cpus", 1, "dev"), allocated(volume("v1"))] }));
    await it.bench.settle();
    await it.apply(3, destroy(volume("v1")));
    expect(it.told.at(-1)).to.equal("op3 OPERATION_FAILED: Persistent volumes in use");
    expect(it.bench.disk.operations.filter(({ op }) => op === "move-aside")).to.deep.equal([]);
    // The master took it for done.
    await it.bench.clock.advance(1000);
    expect(it.bench.master.heard("ReregisterSlaveMessage")).to.have.length(1);
  });

  it("that cannot be made are taken back, with those that came after", async () => {
    const it = await Operated.begin();
    await it.apply(1, reserve(reserved(scalar("disk", 10))));
    it.bench.disk.failing = (step) => step.op === "mkdir" && step.path === pathOf("v1");
    void it.apply(2, create(volume("v1")));
    await it.apply(3, reserve(reserved(scalar("cpus", 1))));
    expect(it.told.slice(1)).to.deep.equal([
      "op2 OPERATION_FAILED: cannot mkdir '/srv/volumes/roles/dev/v1'",
    ]);
    const ends = Array.from(
      it.bench.agent.state.operations.values(),
      ({ latest_status: status }) => status?.state,
    );
    const { OPERATION_FINISHED, OPERATION_FAILED } = OperationState;
    expect(ends).to.deep.equal([OPERATION_FINISHED, OPERATION_FAILED, OPERATION_FAILED]);
    const { total } = it.bench.agent.state;
    expect([total.reserved("dev").disk, total.reserved("dev").cpus]).to.deep.equal([10, 0]);
    expect(total.persistentVolumes().isEmpty).to.equal(true);
    expect(it.saved.operations.map(({ info }) => info?.id?.value)).to.include.members(["op2", "op3"]);
    await it.bench.clock.advance(1000);
    const [message] = it.bench.master.heard("ReregisterSlaveMessage");
    expect(message!.checkpointed_resources).to.have.length(1);
  });

  it("that fail are told when a later run of the agent will tell the same, however long the disk refuses", async () => {
    const it = await Operated.begin();
    const { bench } = it;
    bench.disk.failing = () => true;
    await it.apply(1, reserve(reserved(scalar("cpus", 1))));
    await it.apply(2, reserve(reserved(scalar("cpus", 1))));
    await bench.clock.advance(60_000);
    bench.master.say("PingSlaveMessage", { connected: true });
    const { state, paths } = bench.agent;
    const target = paths.meta.resourceStateTarget();
    expect(it.told).to.deep.equal([]);
    expect(state.total.reserved("dev").cpus, "as long as a later run may make them").to.equal(2);
    bench.disk.failing = () => false;
    await bench.clock.advance(5000);
    const failed = it.saved.operations.map(({ latest_status }) => latest_status?.state);
    expect(failed).to.deep.equal([OperationState.OPERATION_FAILED, OperationState.OPERATION_FAILED]);
    expect(it.saved.resources).to.deep.equal([]);
    expect(state.total.reserved("dev").isEmpty).to.equal(true);
    expect(it.told).to.deep.equal([`op1 OPERATION_FAILED: cannot write '${target}'`]);
  });

  it("that fail bring back the volumes that they had moved aside", async () => {
    const it = await Operated.begin();
    await it.apply(1, reserve(reserved(scalar("disk", 10))));
    await it.apply(2, create(volume("v1")));
    let fails = 0;
    it.bench.disk.failing = (step) => step.op === "rename" && fails++ === 0;
    await it.apply(3, destroy(volume("v1")));
    const moves = it.bench.disk.operations.flatMap((step) =>
      step.op === "move-aside" ? [[step.from, step.path]] : [],
    );
    const [[, aside] = []] = moves;
    expect(moves).to.deep.equal([
      [pathOf("v1"), aside],
      [aside, pathOf("v1")],
    ]);
    expect(it.bench.disk.paths("remove")).to.deep.equal([]);
    expect(it.bench.agent.state.total.persistentVolumes().isEmpty).to.equal(false);
  });

  it("that fail leave the tasks that were to use what they make without it, and so not run", async () => {
    const it = await Operated.begin();
    it.bench.disk.failing = (step) => step.op === "mkdir" && step.path === pathOf("v1");
    it.runWithVolume();
    await it.bench.clock.advance(1000);
    it.bench.master.say("SlaveReregisteredMessage", { slave_id: { value: AGENT_ID }, reconciliations: [] });
    const [end] = await it.bench.drain("t1");
    expect(line(end!)).to.equal(
      "TASK_FAILED REASON_CONTAINER_LAUNCH_FAILED: " +
        "The checkpointed resources being used by the task or task group are unknown to the agent",
    );
    expect(it.bench.containerizer.launched).to.have.length(0);
  });

  it("that fail to free something leave the tasks that were to use it without it, too", async () => {
    const it = await Operated.begin();
    await it.apply(1, reserve(reserved(scalar("cpus", 4))));
    let failed = 0;
    it.bench.disk.failing = ({ op }) => op === "rename" && failed++ === 0;
    const unreserve = { resources: [allocated(reserved(scalar("cpus", 1)))] };
    void it.apply(2, { type: OperationType.UNRESERVE, unreserve });
    it.bench.run(it.bench.task("t1"), it.bench.framework({ checkpoint: true }));
    await it.bench.clock.advance(1000);
    it.bench.master.say("SlaveReregisteredMessage", { slave_id: { value: AGENT_ID }, reconciliations: [] });
    const [end] = await it.bench.drain("t1");
    expect(line(end!)).to.equal(
      "TASK_FAILED REASON_CONTAINER_LAUNCH_FAILED: What was to become free for it did not",
    );
    expect(it.bench.containerizer.launched).to.have.length(0);
  });

  it("leave tasks all that there is, which what the agent adds for itself does not count against", async () => {
    const it = await Operated.begin();
    const shared = { ...volume("v1"), shared: {} };
    void it.apply(1, reserve(reserved(scalar("disk", 20))));
    void it.apply(2, create(shared));
    const { cpus } = it.bench.agent.state.total;
    for (const id of ["t1", "t2"]) {
      const resources = [scalar("cpus", cpus / 2, "dev"), scalar("mem", 64, "dev"), allocated(shared)];
      it.bench.run(it.bench.task(id, { resources }), it.bench.framework({ checkpoint: true }));
    }
    await it.bench.settle();
    expect(it.bench.containerizer.launched.map(({ request }) => request.executorId)).to.deep.equal([
      "t1",
      "t2",
    ]);
  });

  it("that fail when they were reported, but not answered, are reported once more", async () => {
    const it = await Operated.begin();
    const { bench } = it;
    const answer = (): void =>
      bench.master.say("SlaveReregisteredMessage", { slave_id: { value: AGENT_ID }, reconciliations: [] });
    let fail: ((error: Error) => void) | undefined;
    const apply = bench.disk.apply.bind(bench.disk);
    bench.disk.apply = (operations) => {
      if (fail !== undefined) return apply(operations);
      return new Promise((_, failed) => {
        fail = failed;
      });
    };
    await it.apply(1, reserve(reserved(scalar("cpus", 1))));
    bench.master.say("PingSlaveMessage", { connected: false });
    await bench.clock.advance(1000);
    fail!(new Error("no space left"));
    await bench.settle();
    answer();
    await bench.clock.advance(1000);
    expect(it.told).to.deep.equal([]);
    answer();
    await bench.clock.advance(5000);
    const reports = bench.master.heard("ReregisterSlaveMessage");
    const reservations = reports.map(({ checkpointed_resources: resources }) => Resources.of(resources).cpus);
    expect(reservations).to.deep.equal([1, 0]);
    expect(it.told).to.deep.equal(["op1 OPERATION_FAILED: no space left"]);
  });

  it("that go by an older report are dropped, and the master told anew", async () => {
    const it = await Operated.begin();
    await it.apply(1, reserve(reserved(scalar("cpus", 1))), uuid(99));
    expect(it.told).to.deep.equal(["op1 OPERATION_DROPPED: It assumes outdated resource state"]);
    expect(it.bench.agent.state.total.reserved().isEmpty).to.equal(true);
    await it.bench.clock.advance(1000);
    expect(it.bench.master.heard("ReregisterSlaveMessage")).not.to.have.length(0);
  });

  it("count while the connection to the master is broken, as the tasks that come behind them do", async () => {
    const it = await Operated.begin();
    const { bench } = it;
    await it.apply(1, reserve(reserved(scalar("cpus", 1))));
    bench.master.links.at(-1)!.exited();
    void it.apply(2, reserve(reserved(scalar("cpus", 2))));
    bench.run(bench.task("t1", { resources: [allocated(reserved(scalar("cpus", 1)))] }));
    await bench.settle();
    expect(bench.containerizer.launched).to.have.length(1);
    expect(bench.agent.state.total.reserved("dev").cpus).to.equal(3);
    expect(it.told).to.deep.equal(["op1 OPERATION_FINISHED"]);
    await bench.clock.advance(1000);
    const [report] = bench.master.heard("ReregisterSlaveMessage");
    expect(Resources.of(report!.checkpointed_resources).cpus).to.equal(3);
    bench.master.say("SlaveReregisteredMessage", { slave_id: { value: AGENT_ID }, reconciliations: [] });
    expect(it.told.slice(1)).to.have.members(["op1 OPERATION_FINISHED", "op2 OPERATION_FINISHED"]);
  });

  it("are of no agent that has no id yet", async () => {
    const bench = new AgentBench();
    bench.agent.start();
    bench.master.lead();
    bench.master.say("ApplyOperationMessage", {
      operation_info: reserve(reserved(scalar("cpus", 1))),
      operation_uuid: uuid(1),
      resource_version_uuid: { uuid: uuid(99) },
    });
    await bench.settle();
    expect(bench.agent.state.operations.size).to.equal(0);
  });

  it("that are repeated happen once", async () => {
    const it = await Operated.begin();
    await it.apply(1, reserve(reserved(scalar("cpus", 1))));
    await it.apply(1, reserve(reserved(scalar("cpus", 1))));
    expect(it.bench.agent.state.total.reserved("dev").cpus).to.equal(1);
    expect(it.told).to.deep.equal(["op1 OPERATION_FINISHED"]);
  });

  it("are there for the task that comes right behind them", async () => {
    const it = await Operated.begin();
    const { launched } = it.bench.containerizer;
    let before: number | undefined;
    it.bench.disk.failing = ({ path }) => {
      if (path === pathOf("v1")) before = launched.length;
      return false;
    };
    it.runWithVolume();
    await it.bench.settle();
    expect([before, launched.length]).to.deep.equal([0, 1]);
    expect(it.bench.containerizer.of("t1").request.resources.persistentVolumes().disk).to.equal(10);
  });

  it("are not there yet for a task that is killed, which is written down as one of its run all the same", async () => {
    const it = await Operated.begin();
    it.runWithVolume();
    it.bench.master.say("KillTaskMessage", {
      framework_id: { value: FRAMEWORK_ID },
      task_id: { value: "t1" },
    });
    await it.bench.settle();
    const steps = it.bench.disk.operations.map(({ path }) => path);
    const run = steps.findIndex((path) => path.startsWith("/srv/meta/") && path.endsWith("/t1/runs/latest"));
    const told = steps.findIndex((path) => path.endsWith("/t1/task.updates"));
    expect(told).to.be.greaterThan(-1);
    expect(run).to.be.within(0, told);
    expect(it.bench.containerizer.launched).to.have.length(0);
  });

  it("are reported to every master that takes the agent", async () => {
    const it = await Operated.begin();
    await it.apply(1, reserve(reserved(scalar("cpus", 1))));
    const before = it.bench.master.heard("UpdateSlaveMessage").length;
    it.bench.master.say("PingSlaveMessage", { connected: false });
    await it.bench.clock.advance(1000);
    it.bench.master.say("SlaveReregisteredMessage", { slave_id: { value: AGENT_ID }, reconciliations: [] });
    const reports = it.bench.master.heard("UpdateSlaveMessage").slice(before);
    // All in one message, as many agents come at once.
    expect(reports.map(({ update_oversubscribed_resources: lent }) => lent)).to.deep.equal([true]);
    expect(reports[0]!.operations!.operations.map(({ info }) => info?.id?.value)).to.deep.equal(["op1"]);
    expect(it.told).to.deep.equal(["op1 OPERATION_FINISHED", "op1 OPERATION_FINISHED"]);
    it.bench.master.say("ReconcileOperationsMessage", {
      operations: [{ operation_uuid: uuid(1) }, { operation_uuid: uuid(7) }],
    });
    expect(it.told.slice(2)).to.deep.equal(["undefined OPERATION_DROPPED"]);
    it.bench.master.say("ReconcileOperationsMessage", {
      framework_id: { value: FRAMEWORK_ID },
      operations: [{ operation_id: { value: "op1" } }, { operation_id: { value: "op7" } }],
    });
    expect(it.told.slice(3)).to.deep.equal(["op1 OPERATION_FINISHED", "op7 OPERATION_UNKNOWN"]);
  });

  it("of an earlier run are told again, and what it had begun is finished", async () => {
    const bench = new AgentBench();
    bench.agent.state.info.resources.push(scalar("disk", 1000));
    const operation: Operation = {
      framework_id: { value: FRAMEWORK_ID },
      agent_id: { value: AGENT_ID },
      info: { ...destroy(volume("v1")), id: { value: "op1" } },
      latest_status: {
        operation_id: { value: "op1" },
        state: OperationState.OPERATION_FINISHED,
        uuid: uuid(5),
        converted_resources: [],
        agent_id: { value: "of-the-earlier-run" },
      },
      statuses: [],
      uuid: uuid(1),
    };
    await bench.agent.resources.restore({
      committed: [volume("v1"), reserved(scalar("cpus", 1))],
      operations: [],
      target: { resources: [reserved(scalar("disk", 10))], operations: [operation] },
    });
    const moved = bench.disk.operations.filter((step) => step.op === "move-aside");
    expect(moved.map((step) => (step.op === "move-aside" ? step.from : ""))).to.deep.equal([pathOf("v1")]);
    expect(bench.agent.state.total.reserved("dev").disk).to.equal(10);
    bench.agent.start();
    bench.master.lead();
    await bench.clock.advance(1000);
    bench.master.say("SlaveRegisteredMessage", { slave_id: { value: AGENT_ID } });
    const told = bench.master.heard("UpdateOperationStatusMessage");
    expect(told.map(({ status }) => status?.uuid?.value?.at(-1))).to.deep.equal([5]);
    // Or nobody could acknowledge it.
    expect(told[0]!.status!.agent_id).to.deep.equal({ value: AGENT_ID });
  });

  it("of an earlier run that cannot be finished did not happen", async () => {
    const bench = new AgentBench();
    bench.agent.state.info.resources.push(scalar("disk", 1000));
    bench.disk.failing = (step) => step.op === "mkdir" && step.path === pathOf("v1");
    await bench.agent.resources.restore({
      committed: [reserved(scalar("disk", 10))],
      operations: [],
      target: { resources: [volume("v1")], operations: [] },
    });
    expect(bench.agent.state.total.persistentVolumes().isEmpty).to.equal(true);
    expect(bench.agent.state.total.reserved("dev").disk).to.equal(10);
  });

  it("are told again after 10 s, then after twice as long each time, and acknowledged by their status alone", async () => {
    const it = await Operated.begin();
    await it.apply(1, reserve(reserved(scalar("cpus", 1))));
    const { bench } = it;
    bench.master.say("AcknowledgeOperationStatusMessage", {
      status_uuid: { value: Buffer.alloc(16, 77) },
      operation_uuid: uuid(1),
    });
    bench.master.say("AcknowledgeOperationStatusMessage", {
      status_uuid: bench.master.heard("UpdateOperationStatusMessage")[0]!.status!.uuid,
      operation_uuid: uuid(2),
    });
    const counts: number[] = [];
    for (const wait of [9_999, 1, 19_999, 1, 39_999, 1]) {
      bench.master.say("PingSlaveMessage", { connected: true });
      await bench.clock.advance(wait);
      counts.push(it.told.length);
    }
    expect(counts).to.deep.equal([1, 2, 2, 3, 3, 4]);
    await it.acknowledge(1);
    bench.master.say("PingSlaveMessage", { connected: true });
    await bench.clock.advance(70_000);
    expect(it.told).to.have.length(4);
  });
});
