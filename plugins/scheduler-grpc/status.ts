import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { WireError } from "../../proto/json/errors.js";
import type { Leadership } from "../../sdk/contracts/scheduler-service.js";
import { isTepuiError, messageOf } from "../../sdk/errors/index.js";

/** Of a status text; it travels in a header, where peers set limits of their own. */
const MAX_DETAILS_CHARACTERS = 4096;

/** Metadata of a refusal by a master that does not lead: the leader's HTTP and gRPC addresses, `host:port`. */
const LEADER_HTTP = "tepui-leader";
const LEADER_GRPC = "tepui-leader-grpc";

export function statusError(code: status, details: string, metadata = new Metadata()): ServiceError {
  // grpc-js writes details as a URI, which throws for halves of surrogate pairs.
  const text = Buffer.from(details.slice(0, MAX_DETAILS_CHARACTERS)).toString();
  return Object.assign(new Error(text), { code, details: text, metadata });
}

/** What a client is told of an error; undefined for one that is nobody's fault but ours. */
export function clientStatus(error: unknown): ServiceError | undefined {
  if (error instanceof WireError) return statusError(status.INVALID_ARGUMENT, error.message);
  if (isTepuiError(error) && error.kind !== "internal") return statusError(error.grpc, messageOf(error));
  return undefined;
}

export interface LeadershipRefusal {
  /** Port on which every master of the cluster serves gRPC; undefined when it is chosen anew at each start. */
  readonly grpcPort: number | undefined;
}

/** The refusal by a master that cannot serve calls now; undefined when it leads. */
export function notLeading(
  { role, leader }: Leadership,
  { grpcPort }: LeadershipRefusal,
): ServiceError | undefined {
  if (role === "leading") return undefined;
  if (role === "recovering") return statusError(status.UNAVAILABLE, "the leading master is recovering");
  if (leader === undefined) return statusError(status.UNAVAILABLE, "no master leads at the moment");
  const host = leader.address?.hostname ?? leader.hostname ?? leader.address?.ip ?? "";
  const metadata = new Metadata();
  metadata.set(LEADER_HTTP, `${host}:${leader.address?.port ?? leader.port ?? 5050}`);
  if (grpcPort !== undefined) metadata.set(LEADER_GRPC, `${host}:${grpcPort}`);
  return statusError(status.FAILED_PRECONDITION, `this master does not lead; ${host} does`, metadata);
}
