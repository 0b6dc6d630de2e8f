import picocolors from "picocolors";
import { z } from "../../sdk/plugin/index.js";
import { formatDuration } from "../../sdk/values/index.js";

const share = z.object({
  dominant_share: z.number().optional(),
  weight: z.number(),
  position: z.number().optional(),
  of: z.number(),
});

const figure = z.object({
  role: z.string(),
  resource: z.string(),
  consumed: z.number(),
  bound: z.number(),
});

const reason = z.object({
  code: z.string(),
  text: z.string(),
  advice: z.string(),
  agents: z.number(),
  examples: z.array(z.string()),
  /** Seconds; null: never. */
  filter_ends_in: z.object({ first: z.number().nullable(), last: z.number().nullable() }).optional(),
  limits: z.array(figure).optional(),
  held_for: z.array(figure).optional(),
});

const role = z.object({
  role: z.string(),
  role_share: share,
  framework_share: share,
  held: z.record(z.string(), z.number()),
  offerable_agents: z.number(),
  agents_in_maintenance: z.number(),
  reasons: z.array(reason),
});

/** The answer of `/allocator/explain`. */
export const explanationSchema = z.object({
  framework: z.object({ id: z.string(), name: z.string(), active: z.boolean(), connected: z.boolean() }),
  agents: z.number(),
  roles: z.array(role),
});

export type Explanation = z.output<typeof explanationSchema>;
type Role = z.output<typeof role>;
type Reason = z.output<typeof reason>;
type Share = z.output<typeof share>;
type Figure = z.output<typeof figure>;

/** How many agents are named per reason. */
const NAMED = 5;

const { bold, dim } = picocolors;

/** The explanation for a person at a terminal. */
export function explanationText({ framework, agents, roles }: Explanation): string {
  const state = framework.connected ? (framework.active ? "active" : "not active") : "not connected";
  const lines = [
    `${bold(`framework ${framework.name}`)} ${framework.id}: ${state}; the cluster has ${counted(agents, "agent")}`,
  ];
  if (roles.length === 0)
    lines.push("", "It has no roles: there is nothing to offer it in. Subscribe with one.");
  for (const each of roles) lines.push("", ...roleLines(each, agents));
  return `${lines.join("\n")}\n`;
}

function roleLines(role: Role, agents: number): string[] {
  const maintenance = role.agents_in_maintenance;
  return [
    bold(`role ${role.role}`),
    `  ${headline(role, agents)}`,
    `  holds      ${held(role.held)}`,
    `  share      of the role ${shareText(role.role_share, "roles")}`,
    `             of the framework ${shareText(role.framework_share, "frameworks of the role")}`,
    ...(maintenance > 0 ? [`  maintenance scheduled on ${counted(maintenance, "agent")}`] : []),
    ...role.reasons.flatMap(reasonLines),
  ];
}

function headline({ offerable_agents: offerable, reasons }: Role, agents: number): string {
  // Reasons without agents apply to everything.
  const blocked = reasons.some((reason) => reason.agents === 0);
  if (agents === 0) return "There is no agent, so there is nothing to offer.";
  if (blocked || offerable === 0) return "Nothing can be offered now:";
  if (offerable === agents) return "Everything is fine: all agents can be offered by the next run.";
  return `${offerable} of ${agents} agents can be offered by the next run; for the others:`;
}

function reasonLines(reason: Reason): string[] {
  const { code, text, advice, examples, filter_ends_in: ends, limits, held_for: heldFor } = reason;
  const more = reason.agents - Math.min(examples.length, NAMED);
  const named = examples.slice(0, NAMED).join(", ");
  return [
    `  - ${text} ${dim(`[${code}]`)}`,
    ...(limits ?? []).map(
      (one) => `    ${figureText(one)}: limit ${one.bound}, used or offered ${one.consumed}`,
    ),
    ...(heldFor ?? []).map((one) => `    ${figureText(one)}: guaranteed ${one.bound}, has ${one.consumed}`),
    ...(ends === undefined ? [] : [`    filters end in ${span(ends.first, ends.last)}`]),
    ...(named === "" ? [] : [`    agents: ${named}${more > 0 ? ` and ${more} more` : ""}`]),
    ...(advice === "" ? [] : [`    what to do: ${advice}`]),
  ];
}

const figureText = ({ role, resource }: Figure): string => `${resource} of role ${role}`;

function span(first: number | null, last: number | null): string {
  const from = secondsText(first);
  const to = secondsText(last);
  return from === to ? from : `${from} to ${to}`;
}

const secondsText = (seconds: number | null): string =>
  seconds === null ? "never" : formatDuration(Math.ceil(seconds) * 1000);

function shareText({ dominant_share: dominant, weight, position, of }: Share, siblings: string): string {
  const size = dominant === undefined ? "unknown" : `${(dominant * 100).toFixed(1)} %`;
  const place = position === undefined ? "not in line" : `number ${position} of ${of} ${siblings} in line`;
  return `${size}, weight ${weight}, ${place}`;
}

function held(quantities: Readonly<Record<string, number>>): string {
  const parts = Object.entries(quantities).map(([name, amount]) => `${name}:${amount}`);
  return parts.length === 0 ? "nothing" : parts.join("; ");
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
