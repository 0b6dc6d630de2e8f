import type { Call } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { Call_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { TepuiError } from "../../../sdk/errors/index.js";

/** The error for a call that is malformed; the same text over every edge. */
export const invalidCall = (problem: string): TepuiError =>
  new TepuiError("TEPUI_SCHEDULER_CALL_INVALID", { text: `Failed to validate scheduler::Call: ${problem}` });

/** The field that each type of call requires; types without one are not listed. */
const PARTS: { readonly [type: number]: keyof Call } = {
  [Call_Type.ACCEPT]: "accept",
  [Call_Type.DECLINE]: "decline",
  [Call_Type.ACCEPT_INVERSE_OFFERS]: "accept_inverse_offers",
  [Call_Type.DECLINE_INVERSE_OFFERS]: "decline_inverse_offers",
  [Call_Type.KILL]: "kill",
  [Call_Type.SHUTDOWN]: "shutdown",
  [Call_Type.ACKNOWLEDGE]: "acknowledge",
  [Call_Type.ACKNOWLEDGE_OPERATION_STATUS]: "acknowledge_operation_status",
  [Call_Type.RECONCILE]: "reconcile",
  [Call_Type.RECONCILE_OPERATIONS]: "reconcile_operations",
  [Call_Type.MESSAGE]: "message",
  [Call_Type.REQUEST]: "request",
  [Call_Type.UPDATE_FRAMEWORK]: "update_framework",
};

/** Length of a binary UUID. */
const UUID_BYTES = 16;

/**
 * What is wrong with the form of a scheduler's call, in Mesos's words; undefined for a valid one.
 * Source: src/master/validation.cpp, `scheduler::call::validate`.
 */
export function validateCall(call: Call): string | undefined {
  if (call.type === undefined) return "Expecting 'type' to be present";
  const frameworkId = call.framework_id?.value ?? "";
  if (call.type === Call_Type.SUBSCRIBE) {
    if (call.subscribe === undefined) return "Expecting 'subscribe' to be present";
    return (call.subscribe.framework_info?.id?.value ?? "") === frameworkId
      ? undefined
      : "'framework_id' differs from 'subscribe.framework_info.id'";
  }
  if (call.framework_id === undefined) return "Expecting 'framework_id' to be present";

  const part = PARTS[call.type];
  if (part !== undefined && call[part] === undefined) return `Expecting '${part}' to be present`;
  switch (call.type) {
    case Call_Type.ACKNOWLEDGE:
      return validateUuid(call.acknowledge?.uuid);
    case Call_Type.ACKNOWLEDGE_OPERATION_STATUS:
      return (
        validateUuid(call.acknowledge_operation_status?.uuid) ??
        (call.acknowledge_operation_status?.agent_id === undefined
          ? "Expecting 'agent_id' to be present"
          : undefined)
      );
    case Call_Type.UPDATE_FRAMEWORK:
      return (call.update_framework?.framework_info?.id?.value ?? "") === frameworkId
        ? undefined
        : "'framework_id' differs from 'update_framework.framework_info.id'";
    default:
      return undefined;
  }
}

/** A UUID must have its 16 bytes. */
export function validateUuid(uuid: Uint8Array | undefined): string | undefined {
  return uuid?.length === UUID_BYTES ? undefined : "Not a valid UUID";
}

/** The framework's principal must be the one that the connection authenticated with, if any. */
export function validatePrincipal(
  authenticated: string | undefined,
  principal: string | undefined,
): string | undefined {
  if (authenticated === undefined || authenticated === principal) return undefined;
  return `Authenticated principal '${authenticated}' does not match principal '${principal ?? ""}' set in \`FrameworkInfo\``;
}
