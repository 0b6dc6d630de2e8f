import {
  type CheckInfo,
  CheckInfo_Type as CheckType,
  type HealthCheck,
  HealthCheck_Type as HealthType,
  NetworkInfo_Protocol as Protocol,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { CheckSpec } from "../../../sdk/contracts/checker.js";

/** Which checker to use, and what it should check. */
export interface WantedCheck {
  /** Key of the checker. */
  readonly kind: string;
  readonly spec: CheckSpec;
}

const IPV4 = "127.0.0.1";
const IPV6 = "::1";

/** Undefined for an unknown type. */
export function wantedCheck({ type, command, http, tcp }: CheckInfo): WantedCheck | undefined {
  switch (type) {
    case CheckType.COMMAND:
      return { kind: "command", spec: { ...NOTHING, command: command?.command } };
    case CheckType.HTTP:
      return { kind: "http", spec: { ...NOTHING, port: http?.port ?? 0, path: http?.path || "/" } };
    case CheckType.TCP:
      return { kind: "tcp", spec: { ...NOTHING, port: tcp?.port ?? 0 } };
    default:
      return undefined;
  }
}

/** Like `wantedCheck`. */
export function wantedHealthCheck({ type, command, http, tcp }: HealthCheck): WantedCheck | undefined {
  switch (type) {
    case HealthType.COMMAND:
      return { kind: "command", spec: { ...NOTHING, command } };
    case HealthType.HTTP: {
      const scheme = http?.scheme ?? "http";
      const address = addressOf(http?.protocol);
      return { kind: scheme, spec: { address, port: http?.port ?? 0, scheme, path: http?.path || "/" } };
    }
    case HealthType.TCP:
      return { kind: "tcp", spec: { ...NOTHING, address: addressOf(tcp?.protocol), port: tcp?.port ?? 0 } };
    default:
      return undefined;
  }
}

const NOTHING = { address: IPV4, port: 0, scheme: "http", path: "/" } as const satisfies CheckSpec;

const addressOf = (protocol: Protocol | undefined): string => (protocol === Protocol.IPv6 ? IPV6 : IPV4);
