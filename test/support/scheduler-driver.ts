import * as codecs from "../../proto/gen/json/mesos/internal/messages.js";
import { Call } from "../../proto/gen/mesos/scheduler/scheduler.js";
import type { FrameworkInfo, Offer, TaskInfo, TaskStatus } from "../../proto/gen/mesos/v1/mesos.js";
import { Offer_Operation_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { Call_Type } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { type Daemon, startDaemon } from "../plugins/libprocess-transport/support.js";
import { historyOf } from "./status-text.js";
import { until } from "./until.js";

const ACTOR = "scheduler-1";
const PACKAGE = "mesos.internal.";

/** What the master says, and where it was said, that matters to tests. */
interface Heard {
  readonly name: string;
  readonly body: Uint8Array;
}

/** The driver of a v0 scheduler: speaks libprocess with the master, and acknowledges every update. */
export class SchedulerDriver {
  readonly updates: TaskStatus[] = [];
  readonly errors: string[] = [];
  readonly offers: { readonly offer: Offer; readonly agent: string }[] = [];
  id: { value?: string | undefined } | undefined;
  exited = false;
  /** How often it was told that it is registered. */
  private answers = 0;

  private constructor(
    private readonly daemon: Daemon,
    private readonly master: string,
  ) {}

  static async start(masterPort: number): Promise<SchedulerDriver> {
    const driver = new SchedulerDriver(await startDaemon(), `master@127.0.0.1:${masterPort}`);
    driver.daemon.transport.receive(ACTOR, (message) => driver.take(message));
    return driver;
  }

  get pid(): string {
    return this.daemon.transport.address(ACTOR);
  }

  /** Ends it as its death would. */
  stop(): Promise<void> {
    return this.daemon.stop();
  }

  /** Asks again until it is answered, as drivers do; resolves when it is registered. */
  async subscribe(framework: FrameworkInfo, force = false): Promise<void> {
    this.exited = false;
    this.daemon.transport.link(this.master, () => {
      this.exited = true;
    });
    const answers = this.answers;
    const ask = (): void =>
      this.call({
        type: Call_Type.SUBSCRIBE,
        ...(framework.id !== undefined && { framework_id: framework.id }),
        subscribe: { framework_info: framework, force, suppressed_roles: [] },
      });
    ask();
    const again = setInterval(ask, 500);
    try {
      await until(() => this.answers > answers, {
        what: "the framework to be registered",
        seen: () => this.errors.join(", ") || "no answer",
      });
    } finally {
      clearInterval(again);
    }
  }

  call(call: Call): void {
    const body = Call.encode({ ...(this.id !== undefined && { framework_id: this.id }), ...call }).finish();
    this.daemon.transport.send(this.master, { from: ACTOR, name: "mesos.scheduler.Call", body });
  }

  launch(offer: Offer, task: TaskInfo): void {
    const launch = { type: Offer_Operation_Type.LAUNCH, launch: { task_infos: [task] } };
    this.call({ type: Call_Type.ACCEPT, accept: { offer_ids: [offer.id!], operations: [launch] } });
  }

  /** To the executor by way of its agent alone, as drivers do where they know that. */
  message(agent: string, to: { agentId: string; executorId: string; data: string }): void {
    const body = codecs.FrameworkToExecutorMessage.encode({
      slave_id: { value: to.agentId },
      framework_id: this.id,
      executor_id: { value: to.executorId },
      data: Buffer.from(to.data),
    });
    this.daemon.transport.send(agent, { from: ACTOR, name: `${PACKAGE}FrameworkToExecutorMessage`, body });
  }

  async sees(taskId: string, wanted: (status: TaskStatus) => boolean): Promise<TaskStatus> {
    const found = () => this.updates.find((status) => status.task_id?.value === taskId && wanted(status));
    await until(() => found() !== undefined, {
      what: `'${taskId}': ${wanted}`,
      seen: () => historyOf(this.updates, taskId).join(", ") || "no status",
    });
    return found()!;
  }

  private take({ name, body }: Heard): void {
    const short = name.slice(PACKAGE.length);
    switch (short) {
      case "FrameworkRegisteredMessage":
        this.id = codecs.FrameworkRegisteredMessage.decode(body).framework_id;
        this.answers++;
        break;
      case "FrameworkReregisteredMessage":
        this.answers++;
        break;
      case "ResourceOffersMessage": {
        const { offers, pids } = codecs.ResourceOffersMessage.decode(body);
        this.offers.push(...offers.map((offer, index) => ({ offer, agent: pids[index]! })));
        break;
      }
      case "StatusUpdateMessage": {
        const { update, pid } = codecs.StatusUpdateMessage.decode(body);
        const { status, uuid, slave_id } = update!;
        this.updates.push(status!);
        if (uuid === undefined || pid === undefined) break;
        const acknowledge = { agent_id: slave_id, task_id: status!.task_id, uuid };
        this.call({ type: Call_Type.ACKNOWLEDGE, acknowledge });
        break;
      }
      case "FrameworkErrorMessage":
        this.errors.push(codecs.FrameworkErrorMessage.decode(body).message!);
        break;
    }
  }
}
