import { TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Metrics } from "../../../sdk/contracts/metrics.js";
import { fromMilli, type Resources } from "../../../sdk/resources/index.js";
import type { Leadership } from "../leadership.js";

/** Resources whose totals are published. */
const RESOURCES = ["cpus", "disk", "gpus", "mem"] as const;

/** The queues of Mesos's single-threaded master. Here calls and messages are handled as they arrive. */
const QUEUES = ["event_queue_dispatches", "event_queue_http_requests", "event_queue_messages"] as const;

export interface GaugesOptions {
  readonly metrics: Metrics;
  /** Seconds since the start of the process. */
  readonly uptime: () => number;
  /** The current term, if this master leads. */
  readonly leading: () => Leadership | undefined;
}

/** Publishes the figures that are computed on demand. */
export function publishGauges({ metrics, uptime, leading }: GaugesOptions): void {
  const gauge = (name: string, read: () => number) => metrics.gauge(`master/${name}`, read);
  gauge("uptime_secs", uptime);
  gauge("elected", () => (leading() === undefined ? 0 : 1));
  for (const queue of QUEUES) gauge(queue, () => 0);

  const agents = () => [...(leading()?.cluster.agents.values() ?? [])];
  gauge("slaves_connected", () => agents().filter(({ connected }) => connected).length);
  gauge("slaves_disconnected", () => agents().filter(({ connected }) => !connected).length);
  gauge("slaves_active", () => agents().filter(({ active }) => active).length);
  gauge("slaves_inactive", () => agents().filter(({ active }) => !active).length);
  gauge("slaves_unreachable", () => leading()?.cluster.unreachableAgents.size ?? 0);

  const frameworks = () => [...(leading()?.cluster.frameworks.values() ?? [])];
  gauge("frameworks_connected", () => frameworks().filter(({ connected }) => connected).length);
  gauge("frameworks_disconnected", () => frameworks().filter(({ connected }) => !connected).length);
  gauge("frameworks_active", () => frameworks().filter(({ active }) => active).length);
  gauge("frameworks_inactive", () => frameworks().filter(({ active }) => !active).length);
  gauge("outstanding_offers", () => leading()?.cluster.offers.size ?? 0);

  const tasks = (state: TaskState) => () => leading()?.ledger.tasksIn(state) ?? 0;
  gauge("tasks_staging", tasks(TaskState.TASK_STAGING));
  gauge("tasks_starting", tasks(TaskState.TASK_STARTING));
  gauge("tasks_running", tasks(TaskState.TASK_RUNNING));
  gauge("tasks_killing", tasks(TaskState.TASK_KILLING));
  gauge("tasks_unreachable", () =>
    frameworks().reduce((sum, { unreachable }) => sum + countUnreachable(unreachable.values()), 0),
  );

  for (const name of RESOURCES) {
    publishResource(name, "", (resources) => resources.nonRevocable());
    publishResource(name, "revocable_", (resources) => resources.revocable());
  }

  function publishResource(name: string, kind: string, part: (resources: Resources) => Resources): void {
    const total = () => agents().reduce((sum, agent) => sum + part(agent.total).milli(name), 0);
    const used = () => agents().reduce((sum, agent) => sum + part(agent.used).milli(name), 0);
    gauge(`${name}_${kind}total`, () => fromMilli(total()));
    gauge(`${name}_${kind}used`, () => fromMilli(used()));
    gauge(`${name}_${kind}percent`, () => {
      const all = total();
      return all === 0 ? 0 : used() / all;
    });
  }
}

function countUnreachable(tasks: Iterable<{ readonly state: TaskState }>): number {
  let count = 0;
  for (const { state } of tasks) if (state === TaskState.TASK_UNREACHABLE) count++;
  return count;
}
