import {
  type ExecutorInfo,
  HealthCheck_Type as HealthType,
  type Offer_Operation,
  Offer_Operation_Type as OperationType,
  type TaskInfo,
} from "../../../proto/gen/mesos/v1/mesos.js";
import {
  convertResource,
  failure,
  mapOperationResources,
  operationResources,
  Resources,
  type Result,
  success,
  validateResource,
} from "../../../sdk/resources/index.js";
import type { Bundles } from "../offers/bundles.js";
import type { GroupUse } from "../validation/group.js";
import type { TaskUse } from "../validation/task.js";

export type PreparedLaunch =
  | { readonly kind: "launch"; readonly tasks: readonly TaskUse[] }
  | { readonly kind: "launch-group"; readonly group: GroupUse };

/** An operation of an ACCEPT with its resources read: allocated to the offers' role, in the post-refinement format. */
export type PreparedOperation =
  | PreparedLaunch
  | { readonly kind: "operation"; readonly info: Offer_Operation };

export interface Allocation {
  readonly frameworkId: string;
  readonly role: string;
  readonly bundles: Bundles;
}

/** The tasks of a launch, unread. */
export function tasksOf(operation: Offer_Operation): readonly TaskInfo[] {
  if (operation.type === OperationType.LAUNCH) return operation.launch?.task_infos ?? [];
  if (operation.type === OperationType.LAUNCH_GROUP) return operation.launch_group?.task_group?.tasks ?? [];
  return [];
}

export function isLaunch({ type }: Offer_Operation): boolean {
  return type === OperationType.LAUNCH || type === OperationType.LAUNCH_GROUP;
}

/** Reads an operation, or says what is wrong with its resources, in Mesos's words. */
export function prepareOperation(
  operation: Offer_Operation,
  allocation: Allocation,
): Result<PreparedOperation> {
  switch (operation.type) {
    case OperationType.LAUNCH:
      return operation.launch === undefined
        ? failure("A LAUNCH offer operation must have the Offer.Operation.launch field set.")
        : prepareLaunch(operation.launch.task_infos, allocation);
    case OperationType.LAUNCH_GROUP:
      return operation.launch_group === undefined
        ? failure("A LAUNCH_GROUP offer operation must have the Offer.Operation.launch_group field set.")
        : prepareGroup(operation, allocation);
    default:
      return prepareConversion(operation, allocation.role);
  }
}

/** The field that an operation's type requires. */
const PARTS = {
  [OperationType.RESERVE]: "reserve",
  [OperationType.UNRESERVE]: "unreserve",
  [OperationType.CREATE]: "create",
  [OperationType.DESTROY]: "destroy",
  [OperationType.GROW_VOLUME]: "grow_volume",
  [OperationType.SHRINK_VOLUME]: "shrink_volume",
  [OperationType.CREATE_DISK]: "create_disk",
  [OperationType.DESTROY_DISK]: "destroy_disk",
} as const;

/** A copy of a reservation, volume or disk operation with its resources in the post-refinement format; or what is wrong. */
export function readOperation(operation: Offer_Operation): Result<Offer_Operation> {
  const { type = OperationType.UNKNOWN } = operation;
  const part = type in PARTS ? PARTS[type as keyof typeof PARTS] : undefined;
  if (part === undefined) return failure("Unknown offer operation");
  if (operation[part] === undefined) {
    const name = OperationType[type];
    const article = name.startsWith("U") ? "An" : "A";
    return failure(`${article} ${name} offer operation must have the Offer.Operation.${part} field set.`);
  }
  const problem = first(operationResources(operation), validateResource);
  if (problem !== undefined) return failure(problem);
  return success(mapOperationResources(operation, (message) => convertResource(message, "post-refinement")));
}

function prepareConversion(operation: Offer_Operation, role: string): Result<PreparedOperation> {
  const read = readOperation(operation);
  const problem = read.ok
    ? (operation.reserve?.source.length ?? 0) > 0
      ? "Reservation updates are not yet implemented for the scheduler API."
      : undefined
    : read.error;
  if (!read.ok || problem !== undefined) {
    return failure(`Operation attempted with invalid resources: ${problem}`);
  }
  const info = mapOperationResources(read.value, (message) =>
    message.allocation_info?.role === undefined ? { ...message, allocation_info: { role } } : message,
  );
  return success({ kind: "operation", info });
}

function first<T>(items: readonly T[], find: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function prepareLaunch(infos: readonly TaskInfo[], allocation: Allocation): Result<PreparedOperation> {
  const tasks: TaskUse[] = [];
  for (const info of infos) {
    const task = prepareTask(info, allocation);
    if (!task.ok) return task;
    tasks.push(task.value);
  }
  return success({ kind: "launch", tasks });
}

function prepareTask(info: TaskInfo, allocation: Allocation): Result<TaskUse> {
  const own = allocation.bundles.read(info.resources, allocation.role);
  if (!own.ok) return own;
  const task: TaskInfo = { ...info, resources: own.value.messages };
  withHealthCheckType(task);
  const { resources } = own.value;
  if (info.executor === undefined) {
    return success({ info: task, resources, executorResources: Resources.empty });
  }
  const executor = prepareExecutor(info.executor, allocation);
  if (!executor.ok) return executor;
  // Schedulers may omit the framework id of an executor.
  const framework_id = executor.value.info.framework_id ?? { value: allocation.frameworkId };
  task.executor = { ...executor.value.info, framework_id };
  return success({ info: task, resources, executorResources: executor.value.resources });
}

function prepareGroup(operation: Offer_Operation, allocation: Allocation): Result<PreparedOperation> {
  const given = operation.launch_group?.executor ?? { resources: [] };
  const executor = prepareExecutor(given, allocation);
  if (!executor.ok) return executor;
  const { info: groupExecutor, resources: executorResources } = executor.value;

  const tasks: TaskUse[] = [];
  for (const info of tasksOf(operation)) {
    const own = allocation.bundles.read(info.resources, allocation.role);
    if (!own.ok) return own;
    const task: TaskInfo = { ...info, resources: own.value.messages, executor: groupExecutor };
    if (info.executor !== undefined) {
      const other = prepareExecutor(info.executor, allocation);
      if (!other.ok) return other;
      task.executor = other.value.info;
    }
    tasks.push({ info: task, resources: own.value.resources, executorResources });
  }
  return success({ kind: "launch-group", group: { executor: groupExecutor, executorResources, tasks } });
}

function prepareExecutor(
  info: ExecutorInfo,
  { bundles, role }: Allocation,
): Result<{ info: ExecutorInfo; resources: Resources }> {
  const own = bundles.read(info.resources, role);
  if (!own.ok) return own;
  return success({ info: { ...info, resources: own.value.messages }, resources: own.value.resources });
}

/** Older schedulers set a command or an HTTP health check without the type. */
function withHealthCheckType(task: TaskInfo): void {
  const check = task.health_check;
  if (check === undefined || check.type !== undefined) return;
  if (check.command !== undefined && check.http === undefined) {
    task.health_check = { ...check, type: HealthType.COMMAND };
  } else if (check.http !== undefined && check.command === undefined) {
    task.health_check = { ...check, type: HealthType.HTTP };
  }
}
