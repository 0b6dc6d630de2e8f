import {
  FrameworkInfo_Capability_Type as Capability,
  type Offer,
  type Offer_Operation,
  Offer_Operation_Type,
  type OperationStatus,
  type Resource,
  type TaskInfo,
  TaskState,
  type TaskStatus,
  Value_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import { type PartialMessage, SchedulerClient } from "../../sdk/index.js";
import type { Daemon } from "./daemons.js";
import { historyOf } from "./status-text.js";
import { until } from "./until.js";

const ROLE = "dev";

/** A scheduler for tests: keeps all offers until it can use one, and acknowledges no operation unless it is told to. */
export class PatientScheduler {
  /** Every update of an operation that has come, repetitions too. */
  readonly operations: OperationStatus[] = [];
  readonly tasks: TaskStatus[] = [];
  private held: Offer[] = [];

  private constructor(readonly client: SchedulerClient) {}

  static async subscribe(master: Daemon): Promise<PatientScheduler> {
    const capabilities = [
      Capability.MULTI_ROLE,
      Capability.RESERVATION_REFINEMENT,
      Capability.PARTITION_AWARE,
    ].map((type) => ({ type }));
    const client = new SchedulerClient({
      master: `127.0.0.1:${master.port}`,
      framework: { name: "patient", roles: [ROLE], capabilities, failover_timeout: 600, checkpoint: true },
      acknowledgements: "manual",
      backoff: { initial: 20, max: 100 },
    });
    const scheduler = new PatientScheduler(client);
    client.on("subscribed", () => {
      scheduler.held = [];
    });
    client.on("offers", ({ offers }) => void scheduler.held.push(...offers));
    client.on("rescind", ({ offer_id }) => {
      scheduler.held = scheduler.held.filter(({ id }) => id?.value !== offer_id.value);
    });
    client.on("update_operation_status", ({ status }) => void scheduler.operations.push(status));
    client.on("update", ({ status }) => {
      scheduler.tasks.push(status);
      void client.acknowledge(status).catch(() => undefined);
    });
    await client.start();
    return scheduler;
  }

  /** Takes the next offer in which all of these are found; others are given back, so that they come together. */
  async offerOf(...wanted: readonly ((resource: Resource) => boolean)[]): Promise<Offer> {
    let found: Offer | undefined;
    let last: readonly Resource[] = [];
    await until(
      async () => {
        const offers = this.held.splice(0);
        found = offers.find(({ resources }) => wanted.every((test) => resources.some(test)));
        const others = offers.filter((offer) => offer !== found);
        last = others.at(-1)?.resources ?? last;
        if (others.length > 0)
          await this.client.decline(others, { refuse_seconds: 0 }).catch(() => undefined);
        return found !== undefined;
      },
      { what: `an offer with all of: ${wanted.join(", ")}`, seen: () => `last: ${JSON.stringify(last)}` },
    );
    return found!;
  }

  async accept(offer: Offer, operations: readonly PartialMessage<Offer_Operation>[]): Promise<void> {
    await this.client.accept(offer, operations, { refuse_seconds: 0 });
  }

  /** Runs a command on the offer, with these resources besides a bit of cpu and memory, and waits for its end. */
  async run(offer: Offer, command: string, resources: readonly Resource[]): Promise<TaskStatus> {
    const taskId = await this.begin(offer, command, resources);
    return this.task(
      taskId,
      (state) => state !== TaskState.TASK_STARTING && state !== TaskState.TASK_RUNNING,
    );
  }

  /** Starts a command, and returns the id of its task. */
  async begin(offer: Offer, command: string, resources: readonly Resource[]): Promise<string> {
    const name = `t${this.tasks.length}`;
    const small = offer.resources
      .filter((one) => reservationsOf(one) === 0 && (one.name === "cpus" || one.name === "mem"))
      .map((one) => ({ ...one, scalar: { value: one.name === "cpus" ? 0.1 : 32 } }));
    const task: PartialMessage<TaskInfo> = {
      name,
      task_id: { value: name },
      command: { value: command },
      resources: [...small, ...resources],
    };
    await this.client.launch(offer, [task], { refuse_seconds: 0 });
    return name;
  }

  async task(taskId: string, wanted: (state: TaskState | undefined) => boolean): Promise<TaskStatus> {
    let found: TaskStatus | undefined;
    await until(
      () => {
        found = this.tasks.find(({ task_id, state }) => task_id?.value === taskId && wanted(state));
        return found !== undefined;
      },
      { what: `'${taskId}': ${wanted}`, seen: () => historyOf(this.tasks, taskId).join(", ") || "no status" },
    );
    return found!;
  }

  /** The updates of an operation that have come so far. */
  updatesOf(operationId: string): readonly OperationStatus[] {
    return this.operations.filter(({ operation_id }) => operation_id?.value === operationId);
  }
}

const reservationsOf = ({ reservations }: Resource): number => reservations.length;

/** The resource, reserved for the framework's role. */
export const reserved = (resource: Resource): Resource => ({
  ...resource,
  reservations: [...resource.reservations, { type: 2, role: ROLE }],
});

/** A persistent volume made of a reserved disk; tasks see it in their sandbox under its id. */
export const volumeOf = (disk: Resource, id: string): Resource => ({
  ...disk,
  disk: { ...disk.disk, persistence: { id }, volume: { container_path: id, mode: 1 } },
});

/** So much of a disk. */
export const megabytes = (disk: Resource, mb: number): Resource => ({
  ...disk,
  type: Value_Type.SCALAR,
  scalar: { value: mb },
});

export const isFree = (resource: Resource): boolean => reservationsOf(resource) === 0;

export const isVolume =
  (id: string) =>
  (resource: Resource): boolean =>
    resource.disk?.persistence?.id === id;

export const reserve = (resources: readonly Resource[], id?: string): PartialMessage<Offer_Operation> => ({
  type: Offer_Operation_Type.RESERVE,
  ...(id !== undefined && { id: { value: id } }),
  reserve: { resources: [...resources] },
});

export const create = (volumes: readonly Resource[], id?: string): PartialMessage<Offer_Operation> => ({
  type: Offer_Operation_Type.CREATE,
  ...(id !== undefined && { id: { value: id } }),
  create: { volumes: [...volumes] },
});

export const destroy = (volumes: readonly Resource[], id?: string): PartialMessage<Offer_Operation> => ({
  type: Offer_Operation_Type.DESTROY,
  ...(id !== undefined && { id: { value: id } }),
  destroy: { volumes: [...volumes] },
});
