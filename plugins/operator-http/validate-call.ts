import { type Call, Call_Type } from "../../proto/gen/mesos/v1/master/master.js";
import { TepuiError } from "../../sdk/errors/index.js";

/** The types whose calls have a part of their own, which has the type's name. */
const WITH_PART: ReadonlySet<string> = new Set([
  "GET_METRICS",
  "SET_LOGGING_LEVEL",
  "LIST_FILES",
  "READ_FILE",
  "UPDATE_WEIGHTS",
  "RESERVE_RESOURCES",
  "UNRESERVE_RESOURCES",
  "CREATE_VOLUMES",
  "DESTROY_VOLUMES",
  "GROW_VOLUME",
  "SHRINK_VOLUME",
  "UPDATE_MAINTENANCE_SCHEDULE",
  "START_MAINTENANCE",
  "STOP_MAINTENANCE",
  "DRAIN_AGENT",
  "DEACTIVATE_AGENT",
  "REACTIVATE_AGENT",
  "UPDATE_QUOTA",
  "SET_QUOTA",
  "REMOVE_QUOTA",
  "TEARDOWN",
  "MARK_AGENT_GONE",
]);

/** Throws TEPUI_CALL_INVALID in Mesos's words. Source: src/master/validation.cpp, namespace `master::call`. */
export function validateCall(call: Call): void {
  const name = call.type === undefined ? "UNKNOWN" : Call_Type[call.type];
  if (name === undefined || name === "UNKNOWN") throw invalid("Expecting 'type' to be present");
  if (!WITH_PART.has(name)) return;
  const part = name.toLowerCase() as keyof Call;
  if (call[part] === undefined) throw invalid(`Expecting '${part}' to be present`);
  const resized = call.grow_volume ?? call.shrink_volume;
  const resizes = call.type === Call_Type.GROW_VOLUME || call.type === Call_Type.SHRINK_VOLUME;
  if (resizes && resized?.agent_id === undefined) {
    throw invalid("Expecting 'agent_id' to be present; only agent default resources are supported right now");
  }
}

const invalid = (problem: string): TepuiError =>
  new TepuiError("TEPUI_CALL_INVALID", { detail: `Failed to validate master::Call: ${problem}` });
