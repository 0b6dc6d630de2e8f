import {
  AcknowledgeOperationStatusMessage,
  ApplyOperationMessage,
  CheckpointResourcesMessage,
  ReconcileOperationsMessage,
  RunTaskGroupMessage,
  RunTaskMessage,
} from "../../../../proto/gen/mesos/internal/messages.js";
import {
  type ExecutorInfo,
  Offer_Operation_Type,
  OperationState,
  type Resource,
  TaskState,
  type TaskStatus,
  TaskStatus_Reason,
  TaskStatus_Source,
  type Unavailability,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import { type Event, Event_Type } from "../../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { isMessageName, jsonOf, wire } from "../../../../proto/json/index.js";
import type { OutboundMessage } from "../../../../sdk/contracts/message-transport.js";
import { operationResources, Resources } from "../../../../sdk/resources/index.js";

/** One event in one line: its type and the facts that matter. */
export function describeEvent(event: Event): string {
  const type = Event_Type[event.type ?? Event_Type.UNKNOWN];
  return [type, ...factsOf(event)].join(" ");
}

function factsOf(event: Event): string[] {
  switch (event.type) {
    case Event_Type.SUBSCRIBED:
      return [event.subscribed?.framework_id?.value ?? ""];
    case Event_Type.OFFERS:
      return (event.offers?.offers ?? []).map(
        ({ id, agent_id, resources, executor_ids, unavailability }) =>
          `${id?.value} on ${agent_id?.value} ${resourcesText(resources)}${executor_ids.length > 0 ? ` executors=${executor_ids.map(({ value }) => value).join(",")}` : ""}${unavailabilityText(unavailability)};`,
      );
    case Event_Type.INVERSE_OFFERS:
      return (event.inverse_offers?.inverse_offers ?? []).map(
        ({ id, agent_id, unavailability }) =>
          `${id?.value} on ${agent_id?.value}${unavailabilityText(unavailability)};`,
      );
    case Event_Type.RESCIND_INVERSE_OFFER:
      return [event.rescind_inverse_offer?.inverse_offer_id?.value ?? ""];
    case Event_Type.RESCIND:
      return [event.rescind?.offer_id?.value ?? ""];
    case Event_Type.UPDATE:
      return [describeStatus(event.update?.status ?? {})];
    case Event_Type.UPDATE_OPERATION_STATUS: {
      const status = event.update_operation_status?.status;
      return [
        status?.operation_id?.value ?? "",
        OperationState[status?.state ?? 0] ?? "",
        ...(status?.uuid === undefined ? [] : [`uuid=${status.uuid.value?.at(-1)}`]),
        ...(status?.message === undefined ? [] : [JSON.stringify(status.message)]),
      ];
    }
    case Event_Type.ERROR:
      return [JSON.stringify(event.error?.message)];
    case Event_Type.FAILURE: {
      const { agent_id, executor_id, status } = event.failure ?? {};
      const executor = executor_id === undefined ? [] : [`executor=${executor_id.value}`, `status=${status}`];
      return [agent_id?.value ?? "", ...executor];
    }
    case Event_Type.MESSAGE: {
      const { agent_id, executor_id, data } = event.message ?? {};
      return [`from ${executor_id?.value} on ${agent_id?.value}`, JSON.stringify(data?.toString())];
    }
    default:
      return [];
  }
}

const unavailabilityText = (unavailability: Unavailability | undefined): string =>
  unavailability === undefined ? "" : ` unavailable from ${unavailability.start?.nanoseconds}`;

function describeStatus(status: TaskStatus): string {
  const words = [status.task_id?.value ?? "", TaskState[status.state ?? 0]];
  if (status.source !== undefined) words.push(TaskStatus_Source[status.source]);
  if (status.reason !== undefined) words.push(TaskStatus_Reason[status.reason]);
  if (status.agent_id !== undefined) words.push(`agent=${status.agent_id.value}`);
  if (status.executor_id !== undefined) words.push(`executor=${status.executor_id.value}`);
  if (status.uuid !== undefined) words.push(`uuid=${status.uuid.readUInt8(15)}`);
  if (status.healthy !== undefined) words.push(`healthy=${status.healthy}`);
  if (status.container_status !== undefined) {
    words.push(`container=${status.container_status.container_id?.value ?? ""}`);
  }
  if (status.unreachable_time !== undefined) words.push("unreachable_time");
  if (status.message !== undefined) words.push(JSON.stringify(status.message));
  return words.join(" ");
}

/** One message to an agent in one line: its name and what is in it. */
export function describeMessage({ name, body }: OutboundMessage): string {
  const short = name.replace("mesos.internal.", "");
  if (short === "RunTaskMessage") {
    const { task, framework, launch_executor } = RunTaskMessage.decode(body);
    const executor = task?.executor === undefined ? "" : ` executor=${executorText(task.executor)}`;
    return `${short} ${task?.task_id?.value} of ${framework?.id?.value} ${resourcesText(task?.resources ?? [])}${executor} launch_executor=${launch_executor}`;
  }
  if (short === "RunTaskGroupMessage") {
    const { task_group, framework, executor, launch_executor } = RunTaskGroupMessage.decode(body);
    const tasks = task_group?.tasks.map(
      ({ task_id, resources }) => `${task_id?.value} ${resourcesText(resources)}`,
    );
    return `${short} ${tasks?.join(", ")} of ${framework?.id?.value} executor=${executorText(executor)} launch_executor=${launch_executor}`;
  }
  if (short === "ApplyOperationMessage") {
    const { operation_info: info = {}, framework_id } = ApplyOperationMessage.decode(body);
    const resources = operationResources(info).map((one) => Resources.of([one]).toString());
    const id = info.id === undefined ? "" : ` ${info.id.value}`;
    const of = framework_id === undefined ? "" : ` of ${framework_id.value}`;
    return `${short}${id} ${Offer_Operation_Type[info.type ?? 0]}${of} ${resources.join(", ")}`;
  }
  if (short === "CheckpointResourcesMessage") {
    return `${short} ${resourcesText(CheckpointResourcesMessage.decode(body).resources)}`;
  }
  if (short === "AcknowledgeOperationStatusMessage") {
    return `${short} status_uuid=${AcknowledgeOperationStatusMessage.decode(body).status_uuid?.value?.at(-1)}`;
  }
  if (short === "ReconcileOperationsMessage") {
    return `${short} ${ReconcileOperationsMessage.decode(body).operations.length} operations`;
  }
  if (!isMessageName(name)) return short;
  const json = (jsonOf(name) as { write(message: unknown): string }).write(wire(name).decode(body));
  return `${short} ${shorten(JSON.parse(json))}`;
}

const executorText = (executor: ExecutorInfo | undefined): string =>
  `${executor?.executor_id?.value}(${resourcesText(executor?.resources ?? [])})`;

const resourcesText = (messages: readonly Resource[]): string => Resources.of(messages).toString();

/** JSON without the noise: `{value: x}` is x, and what is not about the matter at hand is left out. */
function shorten(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shorten).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const entries = Object.entries(value).filter(([key]) => !NOISE.has(key));
  if (entries.length === 1 && entries[0]![0] === "value") return String(entries[0]![1]);
  return `{${entries.map(([key, one]) => `${key}: ${key === "uuid" ? uuidText(one) : shorten(one)}`).join(", ")}}`;
}

/** Facts that every such message has, or that change with each run. */
const NOISE = new Set(["connection", "framework_info", "framework", "pid", "timestamp"]);

const uuidText = (base64: unknown): string => String(Buffer.from(String(base64), "base64").at(-1));
