import { ResourceState } from "../../proto/gen/mesos/internal/state.js";
import {
  AgentInfo,
  DrainConfig,
  ExecutorInfo,
  FrameworkInfo,
  type Operation,
  type Resource,
  Resource as ResourceCodec,
  Task,
  TaskGroupInfo,
  TaskInfo,
} from "../../proto/gen/mesos/v1/mesos.js";
import { convertResources } from "../../sdk/resources/index.js";
import type { DiskOperation } from "./disk/operations.js";
import type { Executor } from "./executors/executor.js";
import { type Framework, NO_ADDRESS } from "./framework.js";
import type { AgentPaths } from "./paths.js";
import { type KillRecord, killRecordText } from "./tasks/kill-record.js";
import { makeTask } from "./tasks/task.js";
import { encodeDelimited } from "./updates/update-record.js";

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
}

/** Mesos prefixes each message with its length, so that a file can hold several. */
const bytesOf = <T>(codec: Codec<T>, message: T): Uint8Array =>
  encodeDelimited(codec.encode(message).finish());

const EMPTY = new Uint8Array(0);

/** What the agent checkpoints, in Mesos's files. The methods return operations; nothing is written here. */
export class Checkpoints {
  constructor(private readonly paths: AgentPaths) {}

  agent(info: AgentInfo): DiskOperation[] {
    const { meta } = this.paths;
    const id = info.id!.value!;
    return [
      { op: "write", path: meta.agentInfo(id), data: bytesOf(AgentInfo, info), durable: true },
      { op: "symlink", path: meta.latestAgent(), target: meta.agent(id), durable: true },
    ];
  }

  framework(agentId: string, framework: Framework): DiskOperation[] {
    const { meta } = this.paths;
    const ids = { agentId, frameworkId: framework.id };
    return [
      { op: "write", path: meta.frameworkInfo(ids), data: bytesOf(FrameworkInfo, framework.info) },
      // Mesos's agents do not recover a framework whose file is empty.
      { op: "write", path: meta.frameworkPid(ids), data: Buffer.from(framework.pid ?? NO_ADDRESS) },
    ];
  }

  /** The records of a framework, unless they are written already: nothing below them may exist without them. */
  missing(agentId: string, framework: Framework): DiskOperation[] {
    return framework.recorded ? [] : this.framework(agentId, framework);
  }

  sandbox({ ids, directory, user }: Executor): DiskOperation[] {
    const { work } = this.paths;
    return [
      { op: "mkdir", path: directory, owner: user },
      { op: "symlink", path: work.latestRun(ids), target: directory },
    ];
  }

  executor({ ids, info, generated }: Executor): DiskOperation[] {
    const { meta } = this.paths;
    return [
      { op: "create", path: meta.executorInfo(ids), data: bytesOf(ExecutorInfo, info) },
      { op: "create", path: meta.executorGenerated(ids), data: Buffer.from(generated ? "1" : "0") },
      { op: "mkdir", path: meta.run(ids) },
      { op: "symlink", path: meta.latestRun(ids), target: meta.run(ids) },
    ];
  }

  /** Mesos's record of a task has neither its time limit nor its check, so those go into a file of their own. */
  task({ ids }: Executor, info: TaskInfo): DiskOperation[] {
    const { meta } = this.paths;
    const taskId = info.task_id!.value!;
    const task = bytesOf(Task, makeTask(info, ids.frameworkId));
    const operations: DiskOperation[] = [{ op: "create", path: meta.taskInfo(ids, taskId), data: task }];
    if (info.max_completion_time !== undefined || info.check !== undefined) {
      operations.push({
        op: "create",
        path: meta.taskDefinition(ids, taskId),
        data: bytesOf(TaskInfo, info),
      });
    }
    return operations;
  }

  /** The tasks that are launched together, as requested. Mesos leaves this to its executor, which survives the agent. */
  group({ ids }: Executor, group: TaskGroupInfo): DiskOperation[] {
    const path = this.paths.meta.group(ids, group.tasks[0]!.task_id!.value!);
    return [{ op: "create", path, data: bytesOf(TaskGroupInfo, group) }];
  }

  drainConfig(agentId: string, config: DrainConfig): DiskOperation[] {
    const path = this.paths.meta.drainConfig(agentId);
    return [{ op: "write", path, data: bytesOf(DrainConfig, config) }];
  }

  drained(agentId: string): DiskOperation[] {
    return [{ op: "remove", path: this.paths.meta.drainConfig(agentId) }];
  }

  /** If the task's record does not exist, or is removed before this, nothing is written. */
  kill({ ids }: Executor, taskId: string, kill: KillRecord): DiskOperation[] {
    const path = this.paths.meta.taskKill(ids, taskId);
    return [{ op: "write", path, data: Buffer.from(killRecordText(kill)), unlessGone: true }];
  }

  bootId(bootId: string): DiskOperation[] {
    return [{ op: "write", path: this.paths.meta.bootId(), data: Buffer.from(bootId), durable: true }];
  }

  forkedPid({ ids }: Executor, pid: number): DiskOperation[] {
    return [{ op: "create", path: this.paths.meta.forkedPid(ids), data: Buffer.from(String(pid)) }];
  }

  driver({ ids }: Executor, address: string): DiskOperation[] {
    return [{ op: "create", path: this.paths.meta.libprocessPid(ids), data: Buffer.from(address) }];
  }

  httpMarker({ ids }: Executor): DiskOperation[] {
    return [{ op: "create", path: this.paths.meta.httpMarker(ids), data: EMPTY }];
  }

  /** The executor has ended and nothing of it has to be recovered. Its directory may have been removed by the time this is written. */
  sentinel({ ids }: Executor): DiskOperation[] {
    return [{ op: "create", path: this.paths.meta.sentinel(ids), data: EMPTY, unlessGone: true }];
  }

  /** The target first: after a crash in between, the change is resumed. */
  resources(
    resources: readonly Resource[],
    operations: readonly Operation[],
  ): { target: DiskOperation[]; commit: DiskOperation[] } {
    const { meta } = this.paths;
    const messages = convertResources(resources, "pre-refinement").map((message) =>
      bytesOf(ResourceCodec, message),
    );
    const all = { resources: [...resources], operations: [...operations] };
    const [old, state] = [meta.resourcesTarget(), meta.resourceStateTarget()];
    return {
      target: [
        { op: "write", path: state, data: bytesOf(ResourceState, all), durable: true },
        { op: "write", path: old, data: Buffer.concat(messages), durable: true },
      ],
      commit: [
        { op: "rename", from: old, path: meta.resources() },
        { op: "rename", from: state, path: meta.resourceState() },
      ],
    };
  }
}
