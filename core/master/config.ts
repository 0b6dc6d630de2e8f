import { durationText, faultDomain, reading, z } from "../../sdk/plugin/index.js";
import { type Duration, parseDuration, parsePercent, parseRate } from "../../sdk/values/index.js";
import type { MasterOptions } from "./options.js";

/** A schema for a text that `parse` reads; whatever it throws becomes the validation error. */
function textOf<T>(parse: (text: string) => T, description: string) {
  return z.string().transform(reading(parse)).meta({ description });
}

const MIN_REREGISTER_TIMEOUT: Duration = parseDuration("10mins");
const MIN_PING_TIMEOUT: Duration = parseDuration("1secs");
const MAX_PING_TIMEOUT: Duration = parseDuration("15mins");

/** The master's own part of the configuration; the keys are Mesos's flags. */
export const masterConfig = z.strictObject({
  agent_ping_timeout: durationText("15secs").refine(
    (timeout) => timeout >= MIN_PING_TIMEOUT && timeout <= MAX_PING_TIMEOUT,
    "must be between 1secs and 15mins",
  ),
  max_agent_ping_timeouts: z.number().int().min(1).default(5),
  agent_reregister_timeout: durationText("10mins").refine(
    (timeout) => timeout >= MIN_REREGISTER_TIMEOUT,
    "must be at least 10mins",
  ),
  agent_removal_rate_limit: textOf(parseRate, "A rate such as 1/10mins; absent: no limit.").optional(),
  recovery_agent_removal_limit: textOf(parsePercent, "A percentage such as 50%.").default(1),
  offer_timeout: z
    .union([textOf(parseDuration, "A duration such as 10mins."), z.number().positive()])
    .optional(),
  roles: textOf(parseRoles, "Roles, separated by commas; absent: any role.").optional(),
  weights: textOf(parseWeights, "role=weight pairs, separated by commas.").optional(),
  root_submissions: z.boolean().default(true),
  domain: faultDomain().optional(),
  require_agent_domain: z.boolean().default(false),
  cluster: z.string().optional(),
  hostname: z.string().optional(),
  max_completed_frameworks: z.number().int().nonnegative().default(50),
  max_completed_tasks_per_framework: z.number().int().nonnegative().default(1000),
  max_unreachable_tasks_per_framework: z.number().int().nonnegative().default(1000),
  publish_per_framework_metrics: z.boolean().default(true),
  registry_gc_interval: durationText("15mins"),
  registry_max_agent_age: durationText("2weeks"),
  registry_max_agent_count: z.number().int().nonnegative().default(102_400),
});

export type MasterConfig = z.output<typeof masterConfig>;

export function optionsOf(config: MasterConfig): MasterOptions {
  return {
    agentPingTimeout: config.agent_ping_timeout,
    maxAgentPingTimeouts: config.max_agent_ping_timeouts,
    agentReregisterTimeout: config.agent_reregister_timeout,
    agentRemovalRateLimit: config.agent_removal_rate_limit,
    recoveryAgentRemovalLimit: config.recovery_agent_removal_limit,
    offerTimeout: config.offer_timeout,
    roles: config.roles,
    weights: config.weights ?? new Map(),
    rootSubmissions: config.root_submissions,
    requireAgentDomain: config.require_agent_domain,
    maxCompletedFrameworks: config.max_completed_frameworks,
    maxCompletedTasksPerFramework: config.max_completed_tasks_per_framework,
    maxUnreachableTasksPerFramework: config.max_unreachable_tasks_per_framework,
    publishPerFrameworkMetrics: config.publish_per_framework_metrics,
    registryGcInterval: config.registry_gc_interval,
    registryMaxAgentAge: config.registry_max_agent_age,
    registryMaxAgentCount: config.registry_max_agent_count,
  };
}

function parseRoles(text: string): ReadonlySet<string> {
  return new Set(text.split(",").filter((role) => role !== ""));
}

function parseWeights(text: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const pair of text.split(",").filter((part) => part !== "")) {
    const [role = "", value, ...rest] = pair.split("=");
    const weight = Number(value);
    if (role === "" || !(weight > 0) || rest.length > 0 || weights.has(role)) {
      throw new RangeError(
        `'${pair}' is not a weight; expected role=weight with a weight above zero, each role once`,
      );
    }
    weights.set(role, weight);
  }
  return weights;
}
