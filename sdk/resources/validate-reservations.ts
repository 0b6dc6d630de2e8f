import {
  type Labels,
  Resource_ReservationInfo_Type as ReservationType,
  type Resource,
  type Resource_ReservationInfo,
} from "../../proto/gen/mesos/v1/mesos.js";
import { isStrictSubrole, validateRole } from "../roles/index.js";
import { labelsText } from "./print.js";

/** What is wrong with the reservations of a resource in any of the three formats, in Mesos's words. */
export function validateReservations(message: Resource): string | undefined {
  const stack = message.reservations;
  if (stack.length === 0) return validateOldFields(message);
  return (
    validateStack(stack) ??
    (stack.length === 1 ? validateBoth(message, stack[0]!) : validateNoOldFields(message))
  );
}

function validateOldFields({ role = "*", reservation }: Resource): string | undefined {
  const problem = validateRole(role);
  if (problem !== undefined || reservation === undefined) return problem;
  if (reservation.type !== undefined) {
    return "'Resource.ReservationInfo.type' must not be set for the 'Resource.reservation' field";
  }
  if (reservation.role !== undefined) {
    return "'Resource.ReservationInfo.role' must not be set for the 'Resource.reservation' field";
  }
  return role === "*" ? 'Invalid reservation: role "*" cannot be dynamically reserved' : undefined;
}

function validateStack(stack: readonly Resource_ReservationInfo[]): string | undefined {
  for (const { type, role } of stack) {
    if (type === undefined) return "Invalid reservation: 'Resource.ReservationInfo.type' field must be set.";
    if (role === undefined) return "Invalid reservation: 'Resource.ReservationInfo.role' field must be set.";
    const problem = validateRole(role);
    if (problem !== undefined) return problem;
    if (role === "*") return 'Invalid reservation: role "*" cannot be reserved';
  }
  for (let i = 1; i < stack.length; i++) {
    if (stack[i]!.type === ReservationType.STATIC) {
      return "Invalid refined reservation: A refined reservation cannot be STATIC";
    }
    const descendant = stack[i]!.role ?? "";
    const ancestor = stack[i - 1]!.role ?? "";
    if (!isStrictSubrole(descendant, ancestor)) {
      return `Invalid refined reservation: role '${descendant}' is not a refinement of '${ancestor}'`;
    }
  }
  const known = stack.every(
    ({ type }) => type === ReservationType.STATIC || type === ReservationType.DYNAMIC,
  );
  return known ? undefined : "Unsupported 'Resource.ReservationInfo.Type'";
}

/** The old fields beside a stack of one (the endpoint format) must say the same as the stack. */
function validateBoth({ role, reservation }: Resource, only: Resource_ReservationInfo): string | undefined {
  if (role !== undefined && role !== only.role) {
    return (
      `Invalid resource format: 'Resource.role' field with '${role}' does not match the role` +
      ` '${only.role}' in 'Resource.reservations'`
    );
  }
  if (only.type === ReservationType.STATIC) {
    return reservation === undefined
      ? undefined
      : "Invalid resource format: 'Resource.reservation' must not be set if the single reservation in" +
          " 'Resource.reservations' is STATIC";
  }
  if ((role === undefined) !== (reservation === undefined)) {
    return (
      "Invalid resource format: 'Resource.role' and 'Resource.reservation' must either be both set or both not set" +
      " if the single reservation in 'Resource.reservations' is DYNAMIC"
    );
  }
  return reservation === undefined ? undefined : validateSame(reservation, only);
}

function validateSame(old: Resource_ReservationInfo, only: Resource_ReservationInfo): string | undefined {
  const principals = [old.principal ?? "", only.principal ?? ""] as const;
  if (principals[0] !== principals[1]) {
    return (
      `Invalid resource format: 'Resource.reservation.principal' field with '${principals[0]}' does not match the` +
      ` principal '${principals[1]}' in 'Resource.reservations'`
    );
  }
  const none: Labels = { labels: [] };
  const labels = [labelsText(old.labels ?? none), labelsText(only.labels ?? none)] as const;
  if (sorted(old.labels ?? none) !== sorted(only.labels ?? none)) {
    return (
      `Invalid resource format: 'Resource.reservation.labels' field with '${labels[0]}' does not match the labels` +
      ` '${labels[1]}' in 'Resource.reservations'`
    );
  }
  return undefined;
}

/** The order of labels has no meaning. */
function sorted({ labels }: Labels): string {
  return JSON.stringify(
    labels
      .map(({ key = "", value }) => [key, value ?? null])
      .map(String)
      .sort(),
  );
}

function validateNoOldFields({ role, reservation }: Resource): string | undefined {
  const field = role !== undefined ? "role" : reservation !== undefined ? "reservation" : undefined;
  return field === undefined
    ? undefined
    : `Invalid resource format: 'Resource.${field}' must not be set if there is more than one reservation in` +
        " 'Resource.reservations'";
}
