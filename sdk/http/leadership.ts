import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { HttpReply, HttpRequest } from "../contracts/http-server.js";
import type { Leadership } from "../contracts/scheduler-service.js";

/**
 * Answers for a master that cannot serve: 307 to the leader, 503 without one or while it recovers. True when it has answered.
 * The first check of every endpoint that only a leader serves.
 */
export function answeredByLeadership(
  leadership: Leadership,
  request: HttpRequest,
  reply: HttpReply,
): boolean {
  if (leadership.role === "leading") return false;
  if (leadership.role === "recovering") reply.text(503, "Master has not finished recovery");
  else if (leadership.leader === undefined) reply.text(503, "No leader elected");
  else reply.send(307, "", { Location: leaderLocation(leadership.leader, request.target) });
  return true;
}

/** `//host:port` of a master: without a scheme, so that the client keeps its own. */
export function masterLocation(master: MasterInfo): string {
  const host = master.hostname ?? master.address?.hostname ?? master.address?.ip ?? dotted(master.ip ?? 0);
  return `//${host}:${master.port ?? master.address?.port ?? 5050}`;
}

/** Where the leader serves the same request: Mesos gives every path below `/master`. */
export function leaderLocation(leader: MasterInfo, target: string): string {
  const mark = target.indexOf("?");
  const path = (mark < 0 ? target : target.slice(0, mark)).replace(/\/+$/, "");
  const below = /^\/master(?:\/|$)/.test(path) ? path : `/master${path}`;
  return `${masterLocation(leader)}${below}${mark < 0 ? "" : target.slice(mark)}`;
}

/** `MasterInfo.ip` is the address in network order, read as an integer by a little-endian machine. */
const dotted = (ip: number): string => [0, 8, 16, 24].map((shift) => (ip >>> shift) & 0xff).join(".");
