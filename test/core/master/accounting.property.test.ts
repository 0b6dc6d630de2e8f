import { expect } from "chai";
import fc from "fast-check";
import { TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import type { MasterView } from "../../../sdk/contracts/master-view.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { Resources } from "../../../sdk/resources/index.js";
import { TestAgent } from "./harness/agent.js";
import { MasterHarness, type TestStream } from "./harness/master-harness.js";
import { resourceJson, resourcesOf } from "./harness/resource-text.js";

const AGENTS = 3;
const FRAMEWORKS = 2;

type Step =
  | {
      readonly kind: "offer" | "decline" | "launch" | "launch-executor";
      readonly framework: number;
      readonly agent: number;
    }
  | { readonly kind: "update"; readonly agent: number; readonly state: TaskState }
  | { readonly kind: "acknowledge" | "kill" | "reconnect" | "teardown"; readonly framework: number }
  | {
      readonly kind: "break" | "reregister" | "silence" | "unregister" | "exit-executors";
      readonly agent: number;
    }
  | { readonly kind: "wait"; readonly seconds: number };

const agent = fc.nat(AGENTS - 1);
const framework = fc.nat(FRAMEWORKS - 1);
const state = fc.constantFrom(
  TaskState.TASK_STARTING,
  TaskState.TASK_RUNNING,
  TaskState.TASK_FINISHED,
  TaskState.TASK_FAILED,
  TaskState.TASK_KILLED,
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("offer" as const), framework, agent }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("launch" as const, "launch-executor" as const),
      framework,
      agent,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("decline" as const), framework, agent }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("update" as const), agent, state }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom("acknowledge" as const, "kill" as const), framework }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("reconnect" as const, "teardown" as const), framework }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "break" as const,
        "reregister" as const,
        "reregister" as const,
        "silence" as const,
        "unregister" as const,
        "exit-executors" as const,
      ),
      agent,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.constantFrom(1, 40, 100, 700) }),
  },
);

/** A small cluster whose peers do at random what peers may do. */
class World {
  readonly harness = new MasterHarness();
  readonly agents: TestAgent[] = [];
  readonly streams: TestStream[] = [];
  private tasks = 0;

  async start(): Promise<void> {
    await this.harness.start();
    this.harness.transport.sent = (to, message) => this.agents.find(({ pid }) => pid === to)?.take(message);
    for (let i = 0; i < AGENTS; i++) {
      const options = {
        name: `a${i}`,
        pid: `slave(1)@10.0.0.${i}:5051`,
        resources: "cpus:4;mem:512;ports:[1000-1099]",
      };
      this.agents.push(new TestAgent(options, this.harness.transport));
      this.agents[i]!.register();
    }
    for (let i = 0; i < FRAMEWORKS; i++) this.streams.push(this.subscribe(i));
    await this.harness.settle();
  }

  /** The first framework knows of partitions and has checkpoints, the second has neither. */
  private subscribe(index: number, id?: string): TestStream {
    const capabilities = index === 0 ? [{ type: "PARTITION_AWARE" }] : [];
    const framework_id = id === undefined ? undefined : { value: id };
    const framework_info = {
      user: "u",
      name: `f${index}`,
      role: "dev",
      checkpoint: index === 0,
      failover_timeout: 1000,
      capabilities,
      id: framework_id,
    };
    return this.harness.subscribe(
      JSON.stringify({ type: "SUBSCRIBE", framework_id, subscribe: { framework_info } }),
    );
  }

  private id(index: number): string {
    return this.streams[index]!.events[0]?.subscribed?.framework_id?.value ?? "";
  }

  private call(index: number, type: string, part: unknown): void {
    const json = JSON.stringify({
      type,
      framework_id: { value: this.id(index) },
      [type.toLowerCase()]: part,
    });
    try {
      void this.harness.call(json, this.streams[index]!.streamId);
    } catch (error) {
      if (!isTepuiError(error)) throw error;
    }
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case "offer":
        this.offer(step.framework, this.agents[step.agent]!);
        break;
      case "launch":
      case "launch-executor":
        this.launch(step, step.kind === "launch-executor");
        break;
      case "decline":
        this.call(step.framework, "DECLINE", { offer_ids: this.offers(step.framework, step.agent) });
        break;
      case "update": {
        const target = this.agents[step.agent]!;
        const [taskId] = [...target.tasks].find(([, task]) => task.state !== step.state) ?? [];
        if (taskId !== undefined) target.update(taskId, step.state);
        break;
      }
      case "acknowledge":
        for (const task of this.view.framework(this.id(step.framework))?.tasks.values() ?? []) {
          const uuid = task.status_update_uuid?.toString("base64");
          if (uuid === undefined) continue;
          this.call(step.framework, "ACKNOWLEDGE", { agent_id: task.agent_id, task_id: task.task_id, uuid });
        }
        break;
      case "kill":
        for (const task_id of this.view.framework(this.id(step.framework))?.tasks.keys() ?? []) {
          this.call(step.framework, "KILL", { task_id: { value: task_id } });
        }
        break;
      case "reconnect":
        this.streams[step.framework]!.session?.disconnected();
        this.streams[step.framework] = this.subscribe(step.framework, this.id(step.framework));
        break;
      case "teardown":
        this.call(step.framework, "TEARDOWN", {});
        this.streams[step.framework] = this.subscribe(step.framework);
        break;
      case "wait":
        await this.harness.clock.advance(step.seconds * 1000);
        break;
      default:
        this.agentStep(step.kind, this.agents[step.agent]!);
    }
    await this.harness.settle();
  }

  private agentStep(
    kind: "break" | "reregister" | "silence" | "unregister" | "exit-executors",
    target: TestAgent,
  ): void {
    switch (kind) {
      case "break":
        this.harness.transport.breakLink(target.pid);
        break;
      case "silence":
        target.answers = !target.answers;
        break;
      case "reregister":
        target.reregister();
        break;
      case "unregister":
        this.harness.transport.breakLink(target.pid);
        target.tasks.clear();
        target.executors.clear();
        target.id = "";
        target.register();
        break;
      case "exit-executors":
        target.executors.clear();
        target.reregister();
    }
  }

  private offer(index: number, { id }: TestAgent): void {
    const frameworkId = this.id(index);
    const active = this.view.framework(frameworkId)?.active && this.view.agent(id)?.active;
    const free = this.harness.allocator.free.get(id);
    if (!active || free === undefined || free.isEmpty) return;
    this.harness.allocator.offer({ frameworkId, role: "dev", agentId: id });
  }

  private offers(index: number, agentIndex: number): unknown[] {
    const offers = [...(this.view.framework(this.id(index))?.offers ?? [])];
    return offers
      .filter(({ agent_id }) => agent_id?.value === this.agents[agentIndex]!.id)
      .map(({ id }) => id);
  }

  private launch(step: { framework: number; agent: number }, custom: boolean): void {
    const task_id = { value: `t${++this.tasks}` };
    const port = 1000 + (this.tasks % 100);
    const executor = {
      executor_id: { value: `e${step.framework}` },
      command: { value: "x" },
      resources: resourceJson("cpus:0.1;mem:32"),
    };
    const task = {
      name: "t",
      task_id,
      agent_id: { value: this.agents[step.agent]!.id },
      resources: resourceJson(`cpus:0.7;mem:16;ports:[${port}-${port}]`),
      ...(custom ? { executor } : { command: { value: "x" } }),
    };
    this.call(step.framework, "ACCEPT", {
      offer_ids: this.offers(step.framework, step.agent),
      operations: [{ type: "LAUNCH", launch: { task_infos: [task] } }],
    });
  }

  private get view(): MasterView {
    return this.harness.master.view;
  }

  /** Everything that an agent has is free, offered or used, and what is used is what tasks and executors use. */
  check(): void {
    for (const record of this.view.agents()) {
      const free = this.harness.allocator.free.get(record.id) ?? Resources.empty;
      const sum = Resources.sum([free, record.offered.unallocate(), record.used.unallocate()]);
      expect(
        sum.equals(record.total),
        `${record.id}: free ${free}, offered ${record.offered}, used ${record.used}`,
      ).to.equal(true);
      const holding = [...record.tasks()].filter((task) => holds(task.state));
      const parts = [
        ...holding.map(({ resources }) => Resources.of(resources)),
        ...Array.from(record.executors(), ({ info }) => Resources.of(info.resources)),
      ];
      expect(Resources.sum(parts).equals(record.used), `${record.id}: used ${record.used}`).to.equal(true);
    }
    for (const record of this.view.frameworks()) {
      const parts = [
        ...[...record.tasks.values()]
          .filter(({ state: one }) => holds(one))
          .map(({ resources }) => Resources.of(resources)),
        ...Array.from(record.executors(), ({ info }) => Resources.of(info.resources)),
      ];
      const scalars = Resources.sum(parts).scalars();
      expect(scalars.equals(record.used.scalars()), `${record.id}: used ${record.used}`).to.equal(true);
    }
  }
}

const holds = (one: TaskState | undefined): boolean =>
  one !== undefined &&
  [TaskState.TASK_STAGING, TaskState.TASK_STARTING, TaskState.TASK_RUNNING, TaskState.TASK_KILLING].includes(
    one,
  );

describe("accounting of resources", () => {
  it("stays consistent whatever schedulers and agents do", async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const world = new World();
        await world.start();
        for (const one of steps) {
          await world.take(one);
          world.check();
        }
        await world.harness.master.stop();
        expect(world.harness.clock.pendingTimers).to.equal(0);
      }),
      { numRuns: 60, seed: 20_261_122 },
    );
  });

  it("starts with everything free", async () => {
    const world = new World();
    await world.start();
    world.check();
    const [first] = world.harness.master.view.agents();
    expect(first?.total.equals(resourcesOf("cpus:4;mem:512;ports:[1000-1099]"))).to.equal(true);
  });
});
