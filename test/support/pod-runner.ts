import type { ExecutorInfo, TaskInfo, TaskStatus } from "../../proto/gen/mesos/v1/mesos.js";
import { ExecutorInfo_Type, TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { type PartialMessage, resourceList, SchedulerClient } from "../../sdk/index.js";
import { isTerminal } from "../../sdk/task-states.js";
import type { Cluster } from "./cluster.js";
import { OfferRoom } from "./offer-room.js";
import { historyOf } from "./status-text.js";
import { until } from "./until.js";

export interface PodTaskSpec {
  readonly id: string;
  /** For `sh -c`. */
  readonly command: string;
  readonly more?: PartialMessage<TaskInfo>;
}

/** A framework that checkpoints and runs pods. */
export class PodRunner {
  readonly updates: TaskStatus[] = [];
  private readonly waiting: { tasks: readonly PodTaskSpec[]; executor: PartialMessage<ExecutorInfo> }[] = [];
  private readonly client: SchedulerClient;

  constructor(cluster: Cluster, capabilities: readonly { type: number }[] = []) {
    this.client = new SchedulerClient({
      master: `127.0.0.1:${cluster.master.port}`,
      framework: {
        name: "pods",
        checkpoint: true,
        failover_timeout: 60,
        capabilities: [...capabilities],
      },
    });
    this.client.on("update", ({ status }) => {
      // An update whose acknowledgement got lost comes again.
      const uuid = status.uuid?.toString("hex");
      if (!this.updates.some((known) => known.uuid?.toString("hex") === uuid)) this.updates.push(status);
    });
    this.client.on("offers", async ({ offers }) => {
      for (const offer of offers) {
        const [next] = this.waiting;
        const tasks = next?.tasks.map(({ id, command, more }) => ({
          name: id,
          task_id: { value: id },
          command: { value: command },
          resources: resourceList("cpus:0.1;mem:32;disk:32"),
          ...more,
        }));
        const wanted = [...(tasks ?? []), ...(next === undefined ? [] : [next.executor])];
        const fits = new OfferRoom(offer).take(wanted.flatMap(({ resources = [] }) => resources));
        if (next === undefined || tasks === undefined || !fits) {
          await this.client.decline(offer, { refuse_seconds: 0.05 });
          continue;
        }
        this.waiting.shift();
        await this.client.launchGroup(
          offer,
          { executor: next.executor, taskGroup: { tasks } },
          { refuse_seconds: 0.05 },
        );
      }
    });
  }

  start(): Promise<void> {
    return this.client.start();
  }

  stop(): Promise<void> {
    return this.client.teardown();
  }

  /** At the next offer with room for it. */
  run(executorId: string, tasks: readonly PodTaskSpec[], more: PartialMessage<ExecutorInfo> = {}): void {
    const executor = {
      executor_id: { value: executorId },
      type: ExecutorInfo_Type.DEFAULT,
      resources: resourceList("cpus:0.1;mem:32;disk:32"),
      ...more,
    };
    this.waiting.push({ tasks, executor });
  }

  kill(taskId: string): Promise<void> {
    return this.client.kill(taskId);
  }

  async reaches(taskId: string, state: TaskState): Promise<TaskStatus> {
    const find = (): TaskStatus | undefined =>
      this.updates.find((status) => status.task_id?.value === taskId && status.state === state);
    await until(
      () => {
        const last = this.updates.findLast(({ task_id }) => task_id?.value === taskId);
        if (find() === undefined && isTerminal(last?.state))
          throw new Error(`'${taskId}' did not become ${TaskState[state]}: ${this.of(taskId).join(", ")}`);
        return find() !== undefined;
      },
      {
        what: `'${taskId}' to become ${TaskState[state]}`,
        seen: () => this.of(taskId).join(", ") || "no status",
      },
    );
    return find()!;
  }

  /** The states that the task went through, with reason, what its check found, and message. */
  of(taskId: string): string[] {
    return historyOf(this.updates, taskId);
  }
}
