import {
  type Offer,
  Resource_ReservationInfo_Type as ReservationType,
  type TaskInfo,
  TaskState,
  type TaskStatus,
} from "../../proto/gen/mesos/v1/mesos.js";
import { NotSubscribedError, UnreachableError } from "../../sdk/client/index.js";
import { findResources, pushReservation, Resources } from "../../sdk/resources/index.js";
import type { SchedulerClient, SchedulerEventOf } from "../../sdk/scheduler/index.js";
import { isTerminal } from "../../sdk/task-states.js";
import type { Report } from "./execute-report.js";
import type { Workload } from "./execute-task.js";

export interface RunOptions {
  readonly client: SchedulerClient;
  readonly workload: Workload;
  readonly role: string;
  /** Milliseconds after TASK_RUNNING. */
  readonly killAfter: number | undefined;
  readonly report: Report;
  /** Aborted: kill what is running and wait for its end. */
  readonly signal: AbortSignal;
  /** Called with every update before it is acknowledged, and with the offer that the workload was launched on. */
  readonly observe: (status: TaskStatus, offer: Offer) => void;
}

/** Offers arrive every second if there is something to offer. */
const OFFER_PATIENCE_MS = 5000;

/** Runs one workload, from the first suitable offer to its end. */
export class WorkloadRun {
  private launched: Offer | undefined;
  private readonly finals = new Map<string, TaskState>();
  private killTimer: NodeJS.Timeout | undefined;
  private offerTimer: NodeJS.Timeout | undefined;
  private readonly ended: Promise<void>;
  private end!: () => void;
  private waited = false;
  private killing = false;

  constructor(private readonly options: RunOptions) {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  /** Resolves to whether every task finished. Rejects with whatever ended the client. */
  async run(): Promise<boolean> {
    const { client, report, signal } = this.options;
    client.on("subscribed", ({ framework_id }) => {
      report.subscribed(framework_id.value ?? "");
      this.offerTimer ??= setTimeout(() => {
        if (this.launched === undefined) this.wait("no offers yet");
      }, OFFER_PATIENCE_MS);
      // A lost connection may have lost an update or a kill.
      if (this.launched !== undefined) void client.reconcile(this.unended().map((taskId) => ({ taskId })));
      if (this.killing) this.kill();
    });
    client.on("offers", (event) => this.consider(event));
    client.on("update", (event) => this.update(event));
    const stop = (): void => this.kill();
    signal.addEventListener("abort", stop);
    try {
      if (signal.aborted) return false;
      void client.start().catch(() => undefined);
      await Promise.race([this.ended, client.finished]);
    } finally {
      signal.removeEventListener("abort", stop);
      clearTimeout(this.killTimer);
      clearTimeout(this.offerTimer);
      await client.close();
    }
    return (
      this.finals.size > 0 && [...this.finals.values()].every((state) => state === TaskState.TASK_FINISHED)
    );
  }

  private async consider({ offers }: SchedulerEventOf<"offers">): Promise<void> {
    const { client, report, workload } = this.options;
    for (const offer of offers) {
      const found = this.launched === undefined && !this.killing ? this.fit(offer) : undefined;
      if (found === undefined) {
        void client.decline(offer);
        continue;
      }
      this.launched = offer;
      const tasks = found.tasks.map((task) => ({ ...task, agent_id: offer.agent_id }));
      // Comes before the updates; the first may arrive before the answer to the call.
      report.submitted(
        tasks.map((task) => (workload.group === undefined ? task.name : task.task_id?.value) ?? ""),
        { id: offer.agent_id?.value ?? "", hostname: offer.hostname ?? "" },
      );
      await this.launch(offer, { tasks, executor: found.executor });
      // No more offers are needed.
      void client.suppress();
    }
    if (this.launched === undefined) this.wait(`no offer has ${workload.required} yet`);
  }

  /** Says once why nothing happens. */
  private wait(reason: string): void {
    const { client, report } = this.options;
    if (this.waited || this.killing) return;
    this.waited = true;
    report.waiting(`${reason}; waiting (tepui explain ${client.frameworkId} tells why)`);
  }

  private async launch(
    offer: Offer,
    { tasks, executor }: { tasks: TaskInfo[]; executor: TaskInfo["resources"] },
  ): Promise<void> {
    const { client, workload } = this.options;
    try {
      if (workload.group === undefined) return await client.launch(offer, tasks);
      await client.launchGroup(offer, {
        executor: { ...workload.group.executor, resources: executor, framework_id: offer.framework_id },
        taskGroup: { ...workload.group.taskGroup, tasks },
      });
    } catch (error) {
      // After the next subscription it turns out whether a call that was cut off has arrived.
      if (error instanceof UnreachableError || error instanceof NotSubscribedError) return;
      throw error;
    }
  }

  /** The tasks with resources taken from the offer: first those reserved for the role, then unreserved ones. */
  private fit(offer: Offer): { tasks: TaskInfo[]; executor: TaskInfo["resources"] } | undefined {
    const { workload } = this.options;
    let left = Resources.of(offer.resources).unallocate();
    const take = (wanted: TaskInfo["resources"]): TaskInfo["resources"] | undefined => {
      const found = findResources(left, this.inRole(Resources.of(wanted)));
      if (found === undefined) return undefined;
      left = left.subtract(found);
      return found.toMessages();
    };
    const tasks: TaskInfo[] = [];
    for (const task of workload.tasks) {
      const resources = take(task.resources);
      if (resources === undefined) return undefined;
      tasks.push({ ...task, resources });
    }
    const executor = workload.group === undefined ? [] : take(workload.group.executor.resources);
    return executor === undefined ? undefined : { tasks, executor };
  }

  private inRole(resources: Resources): Resources {
    const { role } = this.options;
    if (role === "*") return resources;
    const reserved = pushReservation(resources, { type: ReservationType.STATIC, role });
    if (!reserved.ok) throw new Error(`--role: ${reserved.error}`);
    return reserved.value;
  }

  private async update({ status }: SchedulerEventOf<"update">): Promise<void> {
    const { client, killAfter, observe, report, workload } = this.options;
    const taskId = status.task_id?.value ?? "";
    if (this.launched === undefined || !workload.tasks.some((task) => task.task_id?.value === taskId)) return;
    report.updated(status);
    observe(status, this.launched);
    if (killAfter !== undefined && status.state === TaskState.TASK_RUNNING)
      this.killTimer ??= setTimeout(() => this.kill(), killAfter);
    // The end is acknowledged before the connection is closed, so that the agent does not resend it.
    await client.acknowledge(status).catch(() => undefined);
    if (!isTerminal(status.state)) return;
    this.finals.set(taskId, status.state!);
    if (this.finals.size === workload.tasks.length) this.end();
  }

  private kill(): void {
    const { client, report } = this.options;
    this.killing = true;
    if (this.launched === undefined) {
      this.end();
      return;
    }
    const agentId = this.launched.agent_id?.value ?? "";
    for (const taskId of this.unended()) {
      report.killing(taskId, agentId);
      void client.kill(taskId, { agentId });
    }
  }

  private unended(): string[] {
    return this.options.workload.tasks
      .map((task) => task.task_id?.value ?? "")
      .filter((taskId) => !this.finals.has(taskId));
  }
}
