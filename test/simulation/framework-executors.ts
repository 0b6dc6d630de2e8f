import { type ExecutorInfo, ExecutorInfo_Type } from "../../proto/gen/mesos/v1/mesos.js";
import {
  Call_Type,
  type Event_Failure,
  type Event_Message,
} from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { Resources } from "../../sdk/resources/index.js";
import { amountOf } from "./amounts.js";
import type { Cluster } from "./cluster.js";

/** Executor names of one framework on one agent: few, so that names are reused. */
const NAMES = 3;

interface ExecutorRecord {
  readonly agentId: string;
  readonly info: ExecutorInfo;
  /** According to what the framework has heard. */
  alive: boolean;
}

/** A scheduler's custom executors: what it knows about them, and what it tells them. */
export class FrameworkExecutors {
  private readonly records = new Map<string, ExecutorRecord>();
  private messages = 0;

  constructor(
    private readonly cluster: Cluster,
    private readonly name: string,
    private readonly call: (call: object) => void,
  ) {}

  /** An executor for tasks on an agent, running or new; undefined: there are not enough resources. */
  choose(
    agentId: string,
    { frameworkId, available, together }: { frameworkId: string; available: Resources; together: boolean },
  ): { info: ExecutorInfo; isNew: boolean } | undefined {
    const { dice } = this.cluster.world;
    // The last of them may use the v0 driver, which cannot be given tasks together.
    const names = this.cluster.size.wide && together ? NAMES - 1 : NAMES;
    const executorId = `${this.name}-x${1 + dice.below(names)}`;
    const known = this.records.get(key(agentId, executorId));
    if (known?.alive === true) return { info: known.info, isNew: false };
    const resources = [amountOf(available, "cpus", 0.1, dice), amountOf(available, "mem", 32, dice)];
    if (!resources.every((one) => one !== undefined)) return undefined;
    const info: ExecutorInfo = {
      type: ExecutorInfo_Type.CUSTOM,
      executor_id: { value: executorId },
      framework_id: { value: frameworkId },
      command: { value: "./executor", uris: [], arguments: [] },
      resources,
    };
    return { info, isNew: true };
  }

  /** Notes that an executor is requested. */
  write(agentId: string, info: ExecutorInfo): void {
    this.records.set(key(agentId, info.executor_id!.value!), { agentId, info, alive: true });
  }

  failed({ agent_id, executor_id }: Event_Failure): void {
    for (const record of this.records.values()) {
      if (record.agentId !== agent_id?.value) continue;
      if (executor_id === undefined || executor_id.value === record.info.executor_id?.value)
        record.alive = false;
    }
  }

  /** Sends a message to one of them. */
  say(): void {
    const record = this.cluster.world.dice.pick([...this.records.values()]);
    if (record === undefined) return;
    const { agentId, info } = record;
    const data = Buffer.from(`${info.executor_id!.value}<${++this.messages}`);
    this.call({
      type: Call_Type.MESSAGE,
      message: { agent_id: { value: agentId }, executor_id: info.executor_id, data },
    });
  }

  hear({ executor_id, data }: Event_Message): void {
    const { world, watch } = this.cluster;
    const text = Buffer.from(data!).toString();
    world.note(`${this.name} hears '${text}'`);
    watch.delivered(text);
    if (!text.startsWith(`${this.name}-`) || !text.startsWith(`${executor_id?.value}.`))
      world.violate("a message comes to whom it is for", `${this.name} hears '${text}'`);
  }

  /** They are another framework's from now on. */
  forget(): void {
    this.records.clear();
  }

  endOne(): void {
    const record = this.cluster.world.dice.pick([...this.records.values()]);
    if (record !== undefined) this.end(record);
  }

  endAll(): void {
    for (const record of this.records.values()) this.end(record);
  }

  private end({ agentId, info: { executor_id } }: ExecutorRecord): void {
    this.call({ type: Call_Type.SHUTDOWN, shutdown: { executor_id, agent_id: { value: agentId } } });
  }
}

const key = (agentId: string, executorId: string): string => `${agentId}/${executorId}`;
