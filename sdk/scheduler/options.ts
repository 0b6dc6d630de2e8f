import { userInfo } from "node:os";
import { FrameworkInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { OfferConstraints } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { AddressInput } from "../client/address.js";
import type { BackoffOptions } from "../client/backoff.js";
import type { TlsOptions } from "../client/http-api.js";
import type { PartialMessage } from "../client/partial.js";
import type { Clock } from "../contracts/clock.js";
import type { Random } from "../contracts/random.js";
import type { MessageFormat } from "../http/message-format.js";
import type { SchedulerTransport } from "./transport.js";

/** A FrameworkInfo of which only the name must be given; `user` defaults to the current one. With `id`, the framework is taken over. */
export type FrameworkInput = PartialMessage<FrameworkInfo> & { readonly name: string };

export interface SchedulerClientOptions {
  /** `host:port`, `http://host:port`, a comma-separated list or a list of them. The leader is found among them. */
  readonly master: AddressInput;
  readonly framework: FrameworkInput;
  /** Default `http`. Over `grpc` the addresses are those of the gRPC port (default 5055). */
  readonly transport?: "http" | "grpc" | SchedulerTransport;
  /** Of HTTP; default `protobuf`. */
  readonly contentType?: MessageFormat;
  /**
   * `automatic` (default): a status update is acknowledged when every handler has returned, promises included, and every
   * iteration has asked for its next event. `manual`: by calling `acknowledge`.
   */
  readonly acknowledgements?: "automatic" | "manual";
  /** Roles that start without offers. */
  readonly suppressedRoles?: readonly string[];
  readonly offerConstraints?: PartialMessage<OfferConstraints>;
  /** Basic authentication; the framework's principal is set from it where it has none. */
  readonly credential?: { readonly principal: string; readonly secret: string };
  /** Of `https` addresses. */
  readonly tls?: TlsOptions;
  /** Waits between attempts to subscribe; default 500 ms doubling to 10 s. The first attempt, and following a leader, do not wait. */
  readonly backoff?: BackoffOptions;
  /** Milliseconds until a master that accepts no connection, or does not answer, counts as unreachable. Default 10 s. */
  readonly timeout?: number;
  /**
   * Heartbeats (the master says how often it sends one; Mesos: every 15 s) that may be missing before the connection counts as broken
   * and the leader is looked for again. Default 5, Mesos's advice. A master that stands still keeps its connections open: with 1 the
   * client leaves it within 15 s, and once in a while a master that is only slow.
   */
  readonly missedHeartbeats?: number;
  /** Milliseconds without a subscription after which the client gives up: at the start, and after a disconnection. Default: never. */
  readonly patience?: { readonly connect?: number; readonly reconnect?: number };
  /** Default: the machine's. */
  readonly clock?: Clock;
  readonly random?: Random;
}

export function frameworkInfo({ framework, credential }: SchedulerClientOptions): FrameworkInfo {
  const info = FrameworkInfo.fromPartial(framework as FrameworkInfo);
  info.user ??= userInfo().username;
  if (credential !== undefined) info.principal ??= credential.principal;
  return info;
}

export function basicAuthorization({ credential }: SchedulerClientOptions): string | undefined {
  if (credential === undefined) return undefined;
  return `Basic ${Buffer.from(`${credential.principal}:${credential.secret}`).toString("base64")}`;
}
