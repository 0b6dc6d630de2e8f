import * as internal from "../../../proto/gen/json/mesos/internal/messages.js";
import * as v0 from "../../../proto/gen/json/mesos/scheduler/scheduler.js";
import type { FrameworkID } from "../../../proto/gen/mesos/v1/mesos.js";
import { Offer_Operation_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import { type Call, Call_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";

/** A request of a scheduler's driver. */
export type DriverRequest =
  | {
      readonly call: Call;
      /** For SUBSCRIBE: it may replace another instance. */
      readonly force?: boolean;
    }
  | { readonly deactivate: FrameworkID }
  /** Why the request is impossible, as the driver is told. */
  | { readonly error: string };

type Reader = (body: Uint8Array) => DriverRequest;

const reader =
  <T>(codec: { decode(body: Uint8Array): T }, request: (message: T) => DriverRequest): Reader =>
  (body) =>
    request(codec.decode(body));

/**
 * The messages that schedulers' drivers send, by full name, each with its reader: drivers since Mesos 0.24 send calls, older ones a message
 * of its own for each kind. Readers throw WireError for malformed or incomplete bytes.
 */
export const DRIVER_MESSAGES: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [
    "mesos.scheduler.Call",
    reader(v0.Call, ({ subscribe, ...call }) => {
      if (subscribe === undefined) return { call };
      const { force = false, ...rest } = subscribe;
      return { call: { ...call, subscribe: rest }, force };
    }),
  ],
  [
    "mesos.internal.RegisterFrameworkMessage",
    reader(internal.RegisterFrameworkMessage, ({ framework }) => {
      if ((framework!.id?.value ?? "") !== "") return { error: "Registering with 'id' already set" };
      return {
        call: { type: Call_Type.SUBSCRIBE, subscribe: { framework_info: framework, suppressed_roles: [] } },
      };
    }),
  ],
  [
    "mesos.internal.ReregisterFrameworkMessage",
    reader(internal.ReregisterFrameworkMessage, ({ framework, failover }) => {
      const { id } = framework!;
      if ((id?.value ?? "") === "") return { error: "Re-registering without an 'id'" };
      const subscribe = { framework_info: framework, suppressed_roles: [] };
      return { call: { framework_id: id, type: Call_Type.SUBSCRIBE, subscribe }, force: failover! };
    }),
  ],
  [
    "mesos.internal.UnregisterFrameworkMessage",
    reader(internal.UnregisterFrameworkMessage, ({ framework_id }) => ({
      call: { framework_id, type: Call_Type.TEARDOWN },
    })),
  ],
  [
    "mesos.internal.DeactivateFrameworkMessage",
    reader(internal.DeactivateFrameworkMessage, ({ framework_id }) => ({ deactivate: framework_id! })),
  ],
  [
    "mesos.internal.ResourceRequestMessage",
    reader(internal.ResourceRequestMessage, ({ framework_id, requests }) => ({
      call: { framework_id, type: Call_Type.REQUEST, request: { requests } },
    })),
  ],
  [
    "mesos.internal.LaunchTasksMessage",
    reader(internal.LaunchTasksMessage, ({ framework_id, tasks, filters, offer_ids }) => {
      if (tasks.length === 0)
        return { call: { framework_id, type: Call_Type.DECLINE, decline: { offer_ids, filters } } };
      const launch = { type: Offer_Operation_Type.LAUNCH, launch: { task_infos: tasks } };
      return {
        call: { framework_id, type: Call_Type.ACCEPT, accept: { offer_ids, operations: [launch], filters } },
      };
    }),
  ],
  [
    "mesos.internal.ReviveOffersMessage",
    reader(internal.ReviveOffersMessage, ({ framework_id, roles }) => ({
      call: { framework_id, type: Call_Type.REVIVE, revive: { roles } },
    })),
  ],
  [
    "mesos.internal.KillTaskMessage",
    // The message has no kill policy: the task's own applies.
    reader(internal.KillTaskMessage, ({ framework_id, task_id }) => ({
      call: { framework_id, type: Call_Type.KILL, kill: { task_id } },
    })),
  ],
  [
    "mesos.internal.StatusUpdateAcknowledgementMessage",
    reader(internal.StatusUpdateAcknowledgementMessage, ({ framework_id, slave_id, task_id, uuid }) => ({
      call: { framework_id, type: Call_Type.ACKNOWLEDGE, acknowledge: { agent_id: slave_id, task_id, uuid } },
    })),
  ],
  [
    "mesos.internal.FrameworkToExecutorMessage",
    reader(internal.FrameworkToExecutorMessage, ({ framework_id, slave_id, executor_id, data }) => ({
      call: { framework_id, type: Call_Type.MESSAGE, message: { agent_id: slave_id, executor_id, data } },
    })),
  ],
  [
    "mesos.internal.ReconcileTasksMessage",
    reader(internal.ReconcileTasksMessage, ({ framework_id, statuses }) => ({
      call: {
        framework_id,
        type: Call_Type.RECONCILE,
        reconcile: { tasks: statuses.map(({ task_id, agent_id }) => ({ task_id, agent_id })) },
      },
    })),
  ],
]);
