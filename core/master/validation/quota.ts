import { type Resource, type Value_Scalar, Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { QuotaConfig } from "../../../proto/gen/mesos/v1/quota/quota.js";
import { fromMilli, type Quantities, toMilli } from "../../../sdk/resources/index.js";
import { validateRole } from "../../../sdk/roles/index.js";

/* What is wrong with quotas, in Mesos's words. Source: src/master/quota.cpp. */

type Amounts = Readonly<Record<string, Value_Scalar>>;

const EXABYTE_MB = 1024 ** 4;
const TRILLION = 1e12;

/** In thousandths. Zeros are kept, because a limit of zero is a limit. */
export const quantitiesOf = (amounts: Amounts): Quantities =>
  new Map(Object.entries(amounts).map(([name, { value = 0 }]) => [name, toMilli(value)]));

/** A resource without a limit is unlimited. */
export function limitsContain(limits: Quantities, quantities: Quantities): boolean {
  for (const [name, limit] of limits) if ((quantities.get(name) ?? 0) > limit) return false;
  return true;
}

export function validateQuotaConfig(config: QuotaConfig): string | undefined {
  if (config.role === undefined) return "'QuotaConfig.role' must be set";
  const role = validateRole(config.role);
  if (role !== undefined) return `Invalid 'QuotaConfig.role': ${role}`;
  const guarantees = tooLarge(config.guarantees);
  if (guarantees !== undefined) return `Invalid 'QuotaConfig.guarantees': ${guarantees}`;
  const limits = tooLarge(config.limits);
  if (limits !== undefined) return `Invalid 'QuotaConfig.limits': ${limits}`;
  const problem = notAmounts("guarantee", config.guarantees) ?? notAmounts("limit", config.limits);
  if (problem !== undefined) return problem;
  return limitsContain(quantitiesOf(config.limits), quantitiesOf(config.guarantees))
    ? undefined
    : `'QuotaConfig.guarantees' ${mapText(config.guarantees)} is not contained within the 'QuotaConfig.limits' ${mapText(config.limits)}`;
}

function tooLarge(amounts: Amounts): string | undefined {
  for (const [name, { value = 0 }] of Object.entries(amounts)) {
    const disk = name === "mem" || name === "disk";
    if (!(value > (disk ? EXABYTE_MB : TRILLION))) continue;
    return disk
      ? `{'${name}': ${value}} is invalid: values greater than 1 exabyte (${EXABYTE_MB}) are not supported`
      : `{'${name}': ${value}} is invalid: values greater than 1 trillion (${TRILLION}) are not supported`;
  }
  return undefined;
}

function notAmounts(kind: "guarantee" | "limit", amounts: Amounts): string | undefined {
  for (const [name, { value = 0 }] of Object.entries(amounts)) {
    const problem = notAmount(value);
    if (problem !== undefined) {
      return `Invalid ${kind} configuration {'${name}': ${value}}: ${problem}`;
    }
  }
  return undefined;
}

function notAmount(value: number): string | undefined {
  if (Number.isNaN(value)) return "Scalar values must not be NaN";
  if (!Number.isFinite(value)) return "Scalar values must be finite";
  return value < 0 ? "Scalar values must not be negative" : undefined;
}

const mapText = (amounts: Amounts): string =>
  `{ ${Array.from(quantitiesOf(amounts), ([name, milli]) => `${name}: ${fromMilli(milli)}`).join(", ")} }`;

/** @param guarantee valid resources in the post-refinement format */
export function validateQuotaInfo(info: {
  readonly role: string | undefined;
  readonly guarantee: readonly Resource[];
}): string | undefined {
  if (info.role === undefined) return "QuotaInfo must specify a role";
  const role = validateRole(info.role);
  if (role !== undefined) return `QuotaInfo with invalid role: ${role}`;
  if (info.guarantee.length === 0) return "QuotaInfo with empty 'guarantee'";
  const names = new Set<string>();
  for (const resource of info.guarantee) {
    if (resource.reservations.length > 0) return "QuotaInfo must not contain any ReservationInfo";
    if (resource.disk !== undefined) return "QuotaInfo must not contain DiskInfo";
    if (resource.revocable !== undefined) return "QuotaInfo must not contain RevocableInfo";
    if (resource.type !== Value_Type.SCALAR) return "QuotaInfo must not include non-scalar resources";
    const { name = "" } = resource;
    if (names.has(name)) return `QuotaInfo contains duplicate resource name '${name}'`;
    names.add(name);
  }
  return undefined;
}
