import {
  type Call,
  Call_Type,
  Call_AttachContainerInput_Type as InputType,
} from "../../proto/gen/mesos/v1/agent/agent.js";
import type { ContainerID, ResourceProviderInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { validateContainerId } from "../../sdk/ids/index.js";

/** The types whose calls have a part of their own, which has the type's name. */
const WITH_PART: ReadonlySet<string> = new Set([
  "GET_METRICS",
  "SET_LOGGING_LEVEL",
  "LIST_FILES",
  "READ_FILE",
  "LAUNCH_NESTED_CONTAINER",
  "WAIT_NESTED_CONTAINER",
  "KILL_NESTED_CONTAINER",
  "REMOVE_NESTED_CONTAINER",
  "LAUNCH_NESTED_CONTAINER_SESSION",
  "ATTACH_CONTAINER_INPUT",
  "ATTACH_CONTAINER_OUTPUT",
  "LAUNCH_CONTAINER",
  "WAIT_CONTAINER",
  "KILL_CONTAINER",
  "REMOVE_CONTAINER",
  "ADD_RESOURCE_PROVIDER_CONFIG",
  "UPDATE_RESOURCE_PROVIDER_CONFIG",
  "REMOVE_RESOURCE_PROVIDER_CONFIG",
  "MARK_RESOURCE_PROVIDER_GONE",
]);

/** Throws TEPUI_CALL_INVALID in Mesos's words. Source: src/slave/validation.cpp, namespace `agent::call`. */
export function validateCall(call: Call): void {
  if (call.type === undefined) throw invalid("Expecting 'type' to be present");
  const name = Call_Type[call.type];
  if (name === undefined || !WITH_PART.has(name)) return;
  const field = name.toLowerCase();
  const part = call[field as keyof Call] as Part | undefined;
  if (part === undefined) throw invalid(`Expecting '${field}' to be present`);
  if (call.type === Call_Type.ATTACH_CONTAINER_INPUT) {
    const { type } = call.attach_container_input!;
    if (type === undefined) throw invalid(`Expecting '${field}.type' to be present`);
    if (type === InputType.PROCESS_IO) return;
    if (type !== InputType.CONTAINER_ID) throw invalid(`'${field}.type' is unknown`);
  }
  // Only of its config: the provider gets its id when it comes.
  if (name.startsWith("ADD_") || name.startsWith("UPDATE_")) {
    if (part.info?.id !== undefined) throw invalid(`Expecting '${field}.info.id' to be unset`);
  }
  if (!name.includes("_CONTAINER")) return;
  const problem = validateContainerId(part.container_id ?? {});
  if (problem !== undefined) throw invalid(`'${field}.container_id' is invalid: ${problem}`);
  if (name.includes("NESTED") && part.container_id?.parent === undefined) {
    throw invalid(`Expecting '${field}.container_id.parent' to be present`);
  }
}

interface Part {
  readonly container_id?: ContainerID | undefined;
  readonly info?: ResourceProviderInfo | undefined;
}

const invalid = (problem: string): TepuiError =>
  new TepuiError("TEPUI_CALL_INVALID", { detail: `Failed to validate agent::Call: ${problem}` });
