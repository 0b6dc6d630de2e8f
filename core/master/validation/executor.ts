import {
  ContainerInfo_Type as ContainerType,
  ExecutorInfo,
  ExecutorInfo_Type as ExecutorType,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { validateId } from "../../../sdk/ids/index.js";
import { Resources } from "../../../sdk/resources/index.js";
import type { Agent } from "../agents/agent.js";
import type { Framework } from "../frameworks/framework.js";
import { validateRun, validateUse } from "./use.js";

/*
 * What is wrong with an executor, in Mesos's words.
 *
 * Source: src/master/validation.cpp, namespace `executor`.
 */

/** The rules that apply wherever an ExecutorInfo comes from. */
export function validateExecutorInfo(executor: ExecutorInfo): string | undefined {
  const { executor_id: id, shutdown_grace_period: grace } = executor;
  const problem = validateType(executor) ?? validateId(id?.value ?? "");
  if (problem !== undefined) return problem;
  if ((grace?.nanoseconds ?? 0n) < 0n) return "ExecutorInfo's 'shutdown_grace_period' must be non-negative";
  return validateRun("Executor", executor);
}

function validateType({ type, command, container }: ExecutorInfo): string | undefined {
  switch (type) {
    case ExecutorType.DEFAULT:
      if (command !== undefined) return "'ExecutorInfo.command' must not be set for 'DEFAULT' executor";
      if (container === undefined) return undefined;
      if (container.type !== ContainerType.MESOS) {
        return "'ExecutorInfo.container.type' must be 'MESOS' for 'DEFAULT' executor";
      }
      return container.mesos?.image === undefined
        ? undefined
        : "'ExecutorInfo.container.mesos.image' must not be set for 'DEFAULT' executor";
    case ExecutorType.CUSTOM:
      return command === undefined ? "'ExecutorInfo.command' must be set for 'CUSTOM' executor" : undefined;
    default:
      // Possibly a type that is newer than this master.
      return undefined;
  }
}

export interface ExecutorUse {
  readonly executor: ExecutorInfo;
  readonly resources: Resources;
  readonly framework: Framework;
  readonly agent: Agent;
}

/** The rules for an executor that a framework wants to run on an agent. */
export function validateExecutorUse(use: ExecutorUse): string | undefined {
  return (
    validateExecutorInfo(use.executor) ??
    validateFrameworkId(use) ??
    validateUse("Executor", use.executor.resources, use.resources) ??
    validateCompatible(use)
  );
}

function validateFrameworkId({ executor, framework }: ExecutorUse): string | undefined {
  if (executor.framework_id === undefined) return "'ExecutorInfo.framework_id' must be set";
  const id = executor.framework_id.value ?? "";
  return id === framework.id
    ? undefined
    : `ExecutorInfo has an invalid FrameworkID (Actual: ${id} vs Expected: ${framework.id})`;
}

/** If an executor with this id is running, a second ExecutorInfo must be equal to the first. */
function validateCompatible({ executor, framework, agent }: ExecutorUse): string | undefined {
  const running = agent.executorEntries.get(framework.id)?.get(executor.executor_id?.value ?? "");
  if (running === undefined || sameExecutor(running.info, executor)) return undefined;
  const line = "-".repeat(60);
  return (
    "ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID.\n" +
    `${line}\nExisting ExecutorInfo:\n${describe(running.info)}\n${line}\nExecutorInfo:\n${describe(executor)}\n${line}\n`
  );
}

/** Equal except for the order of resources. */
export function sameExecutor(left: ExecutorInfo, right: ExecutorInfo): boolean {
  if (left === right) return true;
  return (
    Buffer.compare(encodeWithoutResources(left), encodeWithoutResources(right)) === 0 &&
    Resources.of(left.resources).equals(Resources.of(right.resources))
  );
}

const encodeWithoutResources = (executor: ExecutorInfo): Uint8Array =>
  ExecutorInfo.encode({ ...executor, resources: [] }).finish();

function describe(executor: ExecutorInfo): string {
  const { data: _data, resources, ...rest } = executor;
  return `${JSON.stringify(rest, (_key, value) => (typeof value === "bigint" ? Number(value) : value))} resources: ${Resources.of(resources)}`;
}
