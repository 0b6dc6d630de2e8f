import {
  type MasterInfo,
  Offer_Operation_Type,
  type TaskInfo,
  TaskState,
  TaskStatus,
  TaskStatus_Reason,
  TaskStatus_Source,
  Value_Type,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { type Call, Call_Type, Event, Event_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { PartialMessage } from "../../../sdk/client/partial.js";
import type {
  Leadership,
  SchedulerRequest,
  SchedulerService,
  SchedulerSession,
  SchedulerSubscription,
} from "../../../sdk/contracts/scheduler-service.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";

interface FakeTask {
  readonly info: TaskInfo;
  /** Not yet acknowledged, oldest first; only the first has been sent. */
  readonly updates: TaskStatus[];
  latest: TaskStatus | undefined;
}

interface FakeFramework {
  readonly id: string;
  subscription: SchedulerSubscription | undefined;
  suppressed: boolean;
  readonly tasks: Map<string, FakeTask>;
  readonly offers: Set<string>;
}

const ENDED = [TaskState.TASK_FINISHED, TaskState.TASK_FAILED, TaskState.TASK_KILLED];

/**
 * A master and one agent as far as a scheduler can tell: offers, launches, updates one at a time, kills, reconciliation. `sleep` runs until
 * killed, `exit N` ends with N, `vanish` fails without a word of the executor, everything else finishes.
 */
export class FakeSchedulerService implements SchedulerService {
  readonly calls: Call[] = [];
  readonly frameworks = new Map<string, FakeFramework>();
  private readonly removed = new Set<string>();
  private readonly random = new SeededRandom(3);
  private offers = 0;
  leads: Leadership = { role: "leading", leader: undefined };
  heartbeatSeconds = 15;
  /** Where the agent is said to be. */
  agentPort = 5051;

  standby(leader: { hostname: string; port: number } | undefined): void {
    const info = leader && ({ ...leader, id: "m", ip: 0, capabilities: [] } as MasterInfo);
    this.leads = { role: "standby", leader: info };
  }

  leadership(): Leadership {
    return this.leads;
  }

  validate(call: Call): void {
    if (call.type === Call_Type.SUBSCRIBE && call.subscribe === undefined)
      throw new TepuiError("TEPUI_SCHEDULER_CALL_INVALID", { detail: "Expecting 'subscribe' to be present" });
    if (call.type !== Call_Type.SUBSCRIBE && call.framework_id?.value === undefined)
      throw new TepuiError("TEPUI_SCHEDULER_CALL_INVALID", {
        detail: "Expecting 'framework_id' to be present",
      });
  }

  subscribe(subscription: SchedulerSubscription): SchedulerSession {
    const { call, connection, streamId } = subscription;
    this.calls.push(call);
    const info = call.subscribe!.framework_info!;
    if (this.removed.has(call.framework_id?.value ?? "")) {
      connection.send(event({ type: Event_Type.ERROR, error: { message: "Framework has been removed" } }));
      connection.close();
      return { streamId, disconnected: () => undefined };
    }
    const id = call.framework_id?.value ?? `fw-${this.frameworks.size}`;
    const framework = this.frameworks.get(id) ?? {
      id,
      subscription: undefined,
      suppressed: false,
      tasks: new Map(),
      offers: new Set(),
    };
    this.frameworks.set(id, framework);
    framework.subscription?.connection.send(
      event({ type: Event_Type.ERROR, error: { message: "Framework failed over" } }),
    );
    framework.subscription?.connection.close();
    framework.subscription = subscription;
    framework.suppressed = call.subscribe!.suppressed_roles.includes(info.role ?? "*");
    connection.send(
      event({
        type: Event_Type.SUBSCRIBED,
        subscribed: { framework_id: { value: id }, heartbeat_interval_seconds: this.heartbeatSeconds },
      }),
    );
    connection.send(event({ type: Event_Type.HEARTBEAT }));
    this.offer(framework);
    return {
      streamId,
      disconnected: () => {
        if (framework.subscription === subscription) framework.subscription = undefined;
      },
    };
  }

  call({ call, streamId }: SchedulerRequest): void | Promise<void> {
    const framework = this.frameworks.get(call.framework_id!.value!);
    if (framework === undefined) throw new TepuiError("TEPUI_SCHEDULER_FRAMEWORK_UNKNOWN");
    if (framework.subscription === undefined) throw new TepuiError("TEPUI_SCHEDULER_NOT_SUBSCRIBED");
    if (framework.subscription.streamId !== streamId) throw new TepuiError("TEPUI_SCHEDULER_STREAM_ID");
    this.calls.push(call);
    if (call.type === Call_Type.UPDATE_FRAMEWORK) return this.update(call);
    setImmediate(() => this.handle(framework, call));
  }

  /** Ends every connection, as a master does that goes away. */
  disconnectAll(): void {
    for (const { subscription } of this.frameworks.values()) subscription?.connection.close();
  }

  send(frameworkId: string, sent: PartialMessage<Event>): boolean {
    return this.frameworks.get(frameworkId)?.subscription?.connection.send(event(sent)) ?? false;
  }

  private async update(call: Call): Promise<void> {
    if (call.update_framework?.framework_info?.principal === "other")
      throw new TepuiError("TEPUI_SCHEDULER_FRAMEWORK_UPDATE_INVALID", {
        detail: "Changing 'principal' is not allowed",
      });
  }

  private handle(framework: FakeFramework, call: Call): void {
    switch (call.type) {
      case Call_Type.ACCEPT:
        this.accept(framework, call);
        break;
      case Call_Type.DECLINE:
        for (const { value } of call.decline!.offer_ids) framework.offers.delete(value!);
        this.offer(framework);
        break;
      case Call_Type.ACKNOWLEDGE:
        this.acknowledge(framework, call);
        break;
      case Call_Type.KILL: {
        const task = framework.tasks.get(call.kill!.task_id!.value!);
        if (task !== undefined && !ended(task))
          this.report(framework, { task, state: TaskState.TASK_KILLED });
        break;
      }
      case Call_Type.RECONCILE:
        this.reconcile(framework, call);
        break;
      case Call_Type.SUPPRESS:
        framework.suppressed = true;
        break;
      case Call_Type.REVIVE:
        framework.suppressed = false;
        this.offer(framework);
        break;
      case Call_Type.MESSAGE: {
        const { agent_id, executor_id, data } = call.message!;
        // An executor that answers with the same bytes.
        framework.subscription?.connection.send(
          event({ type: Event_Type.MESSAGE, message: { agent_id, executor_id, data } }),
        );
        break;
      }
      case Call_Type.TEARDOWN:
        this.removed.add(framework.id);
        this.frameworks.delete(framework.id);
        framework.subscription?.connection.close();
        break;
      default:
    }
  }

  private accept(framework: FakeFramework, call: Call): void {
    for (const { value } of call.accept!.offer_ids) framework.offers.delete(value!);
    for (const { type, launch, launch_group } of call.accept!.operations) {
      const infos =
        type === Offer_Operation_Type.LAUNCH ? launch?.task_infos : launch_group?.task_group?.tasks;
      for (const info of infos ?? []) {
        const task: FakeTask = { info, updates: [], latest: undefined };
        framework.tasks.set(info.task_id!.value!, task);
        this.run(framework, task);
      }
    }
    this.offer(framework);
  }

  private run(framework: FakeFramework, task: FakeTask): void {
    const command = [task.info.command?.value, ...(task.info.command?.arguments ?? []).slice(1)].join(" ");
    this.report(framework, { task, state: TaskState.TASK_STARTING });
    this.report(framework, { task, state: TaskState.TASK_RUNNING });
    if (command.startsWith("sleep")) return;
    if (command === "vanish") {
      const reason = TaskStatus_Reason.REASON_EXECUTOR_TERMINATED;
      this.report(framework, { task, state: TaskState.TASK_FAILED, reason });
      return;
    }
    const code = Number(/^exit (\d+)/.exec(command)?.[1] ?? 0);
    const state = code === 0 ? TaskState.TASK_FINISHED : TaskState.TASK_FAILED;
    this.report(framework, { task, state, message: `Command exited with status ${code}` });
  }

  private report(
    framework: FakeFramework,
    { task, ...rest }: { task: FakeTask; state: TaskState; message?: string; reason?: TaskStatus_Reason },
  ): void {
    const status = TaskStatus.fromPartial({
      task_id: task.info.task_id!,
      agent_id: { value: "agent-1" },
      source: TaskStatus_Source.SOURCE_EXECUTOR,
      uuid: Buffer.from(this.random.bytes(16)),
      ...rest,
    });
    task.latest = status;
    task.updates.push(status);
    if (task.updates.length === 1) this.sendUpdate(framework, status);
  }

  private acknowledge(framework: FakeFramework, call: Call): void {
    const { task_id, uuid } = call.acknowledge!;
    const task = framework.tasks.get(task_id!.value!);
    if (task === undefined || task.updates[0]?.uuid?.equals(uuid!) !== true) return;
    task.updates.shift();
    if (task.updates[0] !== undefined) this.sendUpdate(framework, task.updates[0]);
  }

  private reconcile(framework: FakeFramework, call: Call): void {
    const asked = call.reconcile!.tasks.map((task) => task.task_id!.value!);
    const implicit = [...framework.tasks.values()]
      .filter((task) => !ended(task))
      .map((task) => task.info.task_id!.value!);
    for (const id of asked.length === 0 ? implicit : asked) {
      const latest = framework.tasks.get(id)?.latest;
      const status = TaskStatus.fromPartial({
        task_id: { value: id },
        state: latest?.state ?? TaskState.TASK_UNKNOWN,
        source: TaskStatus_Source.SOURCE_MASTER,
        reason: TaskStatus_Reason.REASON_RECONCILIATION,
      });
      this.sendUpdate(framework, status);
    }
  }

  private sendUpdate(framework: FakeFramework, status: TaskStatus): void {
    framework.subscription?.connection.send(event({ type: Event_Type.UPDATE, update: { status } }));
  }

  private offer(framework: FakeFramework): void {
    if (framework.suppressed || framework.offers.size > 0 || framework.subscription === undefined) return;
    const id = `offer-${this.offers++}`;
    framework.offers.add(id);
    const scalar = (name: string, value: number) => ({ name, type: Value_Type.SCALAR, scalar: { value } });
    framework.subscription.connection.send(
      event({
        type: Event_Type.OFFERS,
        offers: {
          offers: [
            {
              id: { value: id },
              framework_id: { value: framework.id },
              agent_id: { value: "agent-1" },
              hostname: "127.0.0.1",
              url: {
                scheme: "http",
                address: { ip: "127.0.0.1", port: this.agentPort },
                path: "/slave(1)",
                query: [],
              },
              resources: [scalar("cpus", 4), scalar("mem", 4096), scalar("disk", 4096)],
            },
          ],
        },
      }),
    );
  }
}

const event = (partial: PartialMessage<Event>): Event => Event.fromPartial(partial as Event);

const ended = (task: FakeTask): boolean => ENDED.includes(task.latest?.state ?? TaskState.TASK_STAGING);
