import {
  ContainerInfo_Type,
  ExecutorInfo_Type,
  type Offer,
  Offer_Operation_Type,
  TaskState,
  type TaskStatus,
} from "../../proto/gen/mesos/v1/mesos.js";
import {
  type ExecutorInfo,
  type PartialMessage,
  resourceList,
  SchedulerClient,
  type TaskInfo,
} from "../../sdk/index.js";
import { isTerminal } from "../../sdk/task-states.js";
import { boxed, type ContainerHost } from "./container-host.js";
import { statusText } from "./status-text.js";
import { until } from "./until.js";

const compiled = (path: string): string => new URL(`../${path}`, import.meta.url).pathname;

/** Programs of executors, by the API that they speak. */
export const EXECUTORS = {
  v0: `exec "${process.execPath}" "${compiled("support/driver-executor.js")}"`,
  v1: `exec "${process.execPath}" "${compiled("support/stand-in-executor.js")}"`,
} as const;

type Task = PartialMessage<TaskInfo> & { readonly name: string };
type Container = PartialMessage<NonNullable<TaskInfo["container"]>>;

const FOREVER = { value: "sleep 1000 & exec sleep 1000" };

/** Tasks and executors are named for what they are. */
const task = (name: string, more: PartialMessage<TaskInfo>): Task => ({
  ...more,
  name,
  task_id: { value: name },
  resources: resourceList("cpus:0.1;mem:32"),
});

/**
 * A framework that runs one of each: a command with an image, a command, a pod of two tasks, and tasks of executors of both APIs; those
 * that can be in a network are in the one of that name.
 */
export class AllKinds {
  readonly executors = ["boxed", "plain", "pod", "v0", "v1"];
  readonly updates: TaskStatus[] = [];
  private readonly offers: Offer[] = [];
  private used: Offer | undefined;
  private readonly network: Container;
  readonly client: SchedulerClient;

  constructor(host: ContainerHost, options: { readonly network: string; readonly failoverTimeout: number }) {
    this.network = {
      type: ContainerInfo_Type.MESOS,
      network_infos: [{ name: options.network }],
    };
    this.client = new SchedulerClient({
      master: `127.0.0.1:${host.cluster.master.port}`,
      framework: { name: "all-kinds", checkpoint: true, failover_timeout: options.failoverTimeout },
    });
    this.client.on("offers", ({ offers }) => void this.offers.push(...offers));
    this.client.on("rescind", ({ offer_id }) => {
      this.offers.splice(
        0,
        this.offers.length,
        ...this.offers.filter(({ id }) => id?.value !== offer_id.value),
      );
    });
    this.client.on("update", ({ status }) => void this.updates.push(status));
  }

  get agentId(): string {
    return this.used!.agent_id!.value!;
  }

  /** Resolves when all of them run. */
  async run(): Promise<void> {
    await this.client.start();
    await until(() => this.offers.some(({ resources }) => cpusOf(resources) >= 3));
    const offer = this.offers.splice(0).find(({ resources }) => cpusOf(resources) >= 3)!;
    this.used = offer;
    const commands: readonly Task[] = [
      task("boxed", { command: FOREVER, ...boxed() }),
      task("plain", { command: FOREVER, container: this.network }),
      ...(["v0", "v1"] as const).map((name) => task(name, { executor: this.executor(name) })),
    ];
    const pod: readonly Task[] = ["one", "two"].map((name) => task(name, { command: FOREVER }));
    const onAgent = (tasks: readonly Task[]) => tasks.map((one) => ({ ...one, agent_id: offer.agent_id }));
    await this.client.accept(offer, [
      { type: Offer_Operation_Type.LAUNCH, launch: { task_infos: onAgent(commands) } },
      {
        type: Offer_Operation_Type.LAUNCH_GROUP,
        launch_group: { executor: this.pod(), task_group: { tasks: onAgent(pod) } },
      },
    ]);
    const names = [...commands, ...pod].map(({ name }) => name);
    await until(
      () => {
        const failed = this.updates.find(({ state }) => isTerminal(state));
        if (failed !== undefined) throw new Error(`'${failed.task_id?.value}' ended: ${statusText(failed)}`);
        return names.every((name) => this.last(name) === TaskState.TASK_RUNNING);
      },
      {
        what: "one of each to run",
        seen: () => names.map((name) => `${name} ${TaskState[this.last(name) ?? -1]}`).join(", "),
      },
    );
  }

  last(name: string): TaskState | undefined {
    return this.updates.findLast(({ task_id }) => task_id?.value === name)?.state;
  }

  private executor(name: keyof typeof EXECUTORS): PartialMessage<ExecutorInfo> {
    return {
      executor_id: { value: name },
      framework_id: this.used!.framework_id,
      type: ExecutorInfo_Type.CUSTOM,
      command: { value: EXECUTORS[name] },
      resources: resourceList("cpus:0.1;mem:512"),
    };
  }

  private pod(): PartialMessage<ExecutorInfo> {
    return {
      executor_id: { value: "pod" },
      framework_id: this.used!.framework_id,
      type: ExecutorInfo_Type.DEFAULT,
      container: this.network,
      resources: resourceList("cpus:0.1;mem:32;disk:32"),
    };
  }
}

const cpusOf = (resources: Offer["resources"]): number =>
  resources.find(({ name }) => name === "cpus")?.scalar?.value ?? 0;
