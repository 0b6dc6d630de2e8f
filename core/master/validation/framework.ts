import type { FrameworkInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import {
  FrameworkInfo_Capability_Type as Capability,
  type OfferFilters,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { OfferConstraints } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { validateId } from "../../../sdk/ids/index.js";
import { validateRole } from "../../../sdk/roles/index.js";
import { setText, shortNumber } from "./text.js";

/**
 * What is wrong with a FrameworkInfo, in Mesos's words; undefined for a valid one.
 * Source: src/master/validation.cpp, `framework::validate`.
 */
export function validateFrameworkInfo(info: FrameworkInfo): string | undefined {
  return (
    validateRoles(info) ?? validateOwnId(info) ?? validateOfferFilters(info) ?? validateFailoverTimeout(info)
  );
}

function validateRoles(info: FrameworkInfo): string | undefined {
  if (!info.capabilities.some(({ type }) => type === Capability.MULTI_ROLE)) {
    if (info.roles.length > 0) {
      return "'FrameworkInfo.roles' must not be set when the framework is not MULTI_ROLE capable";
    }
    const problem = validateRole(info.role ?? "*");
    return problem === undefined ? undefined : `'FrameworkInfo.role' is not a valid role: ${problem}`;
  }
  if (info.role !== undefined) {
    return "'FrameworkInfo.role' must not be set when the framework is MULTI_ROLE capable";
  }
  if (new Set(info.roles).size < info.roles.length) {
    const duplicates = new Set(info.roles.filter((role, index) => info.roles.indexOf(role) !== index));
    return `'FrameworkInfo.roles' contains duplicate items: ${setText(duplicates)}`;
  }
  for (const role of info.roles) {
    const problem = validateRole(role);
    if (problem !== undefined) return `'FrameworkInfo.roles' contains invalid role: ${problem}`;
  }
  return undefined;
}

function validateOwnId({ id }: FrameworkInfo): string | undefined {
  return id?.value ? validateId(id.value) : undefined;
}

function validateOfferFilters(info: FrameworkInfo): string | undefined {
  for (const filters of Object.values(info.offer_filters)) {
    const problem = validateMinimum(filters);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function validateMinimum({ min_allocatable_resources: minimum }: OfferFilters): string | undefined {
  for (const { quantities } of minimum?.quantities ?? []) {
    const amounts = Object.entries(quantities);
    if (amounts.length === 0) return "Resource quantities must contain at least one quantity";
    for (const [name, scalar] of amounts) {
      const problem = validateQuantity(scalar.value ?? 0);
      if (problem !== undefined) return `Invalid resource quantity for '${name}': ${problem}`;
    }
  }
  return undefined;
}

/** The smallest normal double. */
const MIN_NORMAL = 2 ** -1022;

function validateQuantity(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN not supported";
  if (!Number.isFinite(value)) return "Infinite values not supported";
  if (value !== 0 && Math.abs(value) < MIN_NORMAL) return "Subnormal values not supported";
  return value < 0 ? "Negative values not supported" : undefined;
}

/** Mesos keeps durations as signed 64-bit nanoseconds. */
const MAX_SECONDS = 2 ** 63 / 1e9;

function validateFailoverTimeout({ failover_timeout: seconds = 0 }: FrameworkInfo): string | undefined {
  if (Math.abs(seconds) <= MAX_SECONDS) return undefined;
  return `The framework failover_timeout (${shortNumber(seconds)}) is invalid`;
}

/** Fields that a framework must not change. A different principal is an error, because an update has to repeat it. */
export function validateFrameworkUpdate(old: FrameworkInfo, info: FrameworkInfo): string | undefined {
  if (old.principal !== info.principal) return "Changing framework's principal is not allowed.";
  if ((info.user ?? "") !== (old.user ?? "")) {
    return `Updating 'FrameworkInfo.user' is unsupported; attempted to update from '${old.user ?? ""}' to '${info.user ?? ""}'`;
  }
  const [before, after] = [old.checkpoint ?? false, info.checkpoint ?? false];
  if (before !== after) {
    return `Updating 'FrameworkInfo.checkpoint' is unsupported; attempted to update from '${before}' to '${after}'`;
  }
  return undefined;
}

export interface SubscriptionOptions {
  readonly suppressedRoles: readonly string[];
  readonly offerConstraints: OfferConstraints | undefined;
}

/** Suppressed roles and offer constraints must refer to the framework's own roles. */
export function validateSubscriptionOptions(
  roles: readonly string[],
  { suppressedRoles, offerConstraints }: SubscriptionOptions,
): string | undefined {
  const unknown = suppressedRoles.filter((role) => !roles.includes(role)).sort();
  if (unknown.length > 0) {
    return `Suppressed roles ${setText(new Set(unknown))} are not contained in the set of roles`;
  }
  for (const role of Object.keys(offerConstraints?.role_constraints ?? {})) {
    if (!roles.includes(role)) {
      return `Offer constraints specify \`role_constraints\` for a role '${role}'not contained in the set of roles`;
    }
  }
  return undefined;
}
