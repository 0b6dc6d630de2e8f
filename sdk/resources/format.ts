import {
  Resource_ReservationInfo_Type as ReservationType,
  type Resource,
  type Resource_ReservationInfo,
} from "../../proto/gen/mesos/v1/mesos.js";
import { reservationsOf } from "./entry.js";

/**
 * The forms in which Mesos writes reservations.
 *
 * - `post-refinement`: the stack in `reservations`; no `role`, no `reservation`. For everyone with RESERVATION_REFINEMENT.
 * - `pre-refinement`: `role` (`*` for unreserved) and, for a dynamic reservation, `reservation`; one level only.
 * - `endpoint`: both at once where both are possible, so that old and new readers of the endpoints understand it.
 */
export type ResourceFormat = "post-refinement" | "pre-refinement" | "endpoint";

/** True for reservations of more than one level, which the pre-refinement format cannot say. */
export function hasRefinedReservations(message: Resource): boolean {
  return message.reservations.length > 1;
}

/** Whether nothing in a message is of an older format. */
export function isPostRefinement({ role, reservation }: Resource): boolean {
  return role === undefined && reservation === undefined;
}

/** The messages in the post-refinement format: the very list where all are in it already, as those of today's agents are. */
export function toPostRefinement(messages: Resource[]): Resource[] {
  return messages.every(isPostRefinement) ? messages : convertResources(messages, "post-refinement");
}

/**
 * A copy of a valid Resource message in the format asked for; the message itself may be in any format.
 *
 * Refined reservations have no pre-refinement form: such a message comes out post-refinement, which is what a Mesos agent
 * or master sends in that case. Ask `hasRefinedReservations` first where that matters.
 */
export function convertResource(message: Resource, format: ResourceFormat): Resource {
  const { role: _role, reservation: _reservation, ...rest } = message;
  const converted: Resource = { ...rest, reservations: [...reservationsOf(message)] };
  if (format !== "post-refinement") addOldFields(converted, format);
  return converted;
}

/** Copies of the messages in the format asked for. */
export function convertResources(messages: readonly Resource[], format: ResourceFormat): Resource[] {
  return messages.map((message) => convertResource(message, format));
}

/** Changes a post-refinement message into the format asked for, in place. */
export function addOldFields(message: Resource, format: "pre-refinement" | "endpoint"): void {
  const [reservation, refinement] = message.reservations;
  if (reservation === undefined) {
    message.role = "*";
  } else if (refinement === undefined) {
    message.role = reservation.role;
    if (reservation.type === ReservationType.DYNAMIC) message.reservation = withoutTypeAndRole(reservation);
    if (format === "pre-refinement") message.reservations = [];
  }
}

function withoutTypeAndRole({ principal, labels }: Resource_ReservationInfo): Resource_ReservationInfo {
  const old: Resource_ReservationInfo = {};
  if (principal !== undefined) old.principal = principal;
  if (labels !== undefined) old.labels = labels;
  return old;
}
