import { isIPv4 } from "node:net";
import { validateRole } from "../../sdk/roles/index.js";
import { formatDuration, parseDuration, parsePercent, parseRate } from "../../sdk/values/index.js";
import { BUILT_IN_MODULES } from "./modules.js";
import * as WHY from "./reasons.js";

/** Checks of flag values beyond their type. Each takes the value in natural form and returns what is wrong with it. */
type Check = (value: unknown) => string | undefined;

/** A duration in text form, or a plain number. */
type Limit = string | number;

const numberOf = (limit: Limit): number => (typeof limit === "string" ? parseDuration(limit) : limit);

export const atLeast =
  (limit: Limit): Check =>
  (value) =>
    (value as number) < numberOf(limit) ? `must be at least ${limit}` : undefined;

export const atMost =
  (limit: Limit): Check =>
  (value) =>
    (value as number) > numberOf(limit) ? `must be at most ${limit}` : undefined;

export const between =
  (low: Limit, high: Limit): Check =>
  (value) =>
    (atLeast(low)(value) ?? atMost(high)(value)) ? `must be between ${low} and ${high}` : undefined;

export const moreThanZero: Check = (value) =>
  (value as number) > 0 ? undefined : `must be longer than ${formatDuration(0)}`;

export const notEmpty: Check = (value) => (value === "" ? "must not be empty" : undefined);

export const severity: Check = (value) =>
  ["INFO", "WARNING", "ERROR"].includes(String(value)) ? undefined : "must be INFO, WARNING or ERROR";

export const ipv4: Check = (value) => (isIPv4(String(value)) ? undefined : "must be an IPv4 address");

/** A port that others connect to, so it cannot be 0. */
export const portText: Check = (value) =>
  /^\d{1,5}$/.test(String(value)) && Number(value) > 0 && Number(value) < 65_536
    ? undefined
    : "must be a port, 1 to 65535";

export const onlyTexts: Check = (value) => {
  const bad = Object.entries(value as Record<string, unknown>).find(([, text]) => typeof text !== "string");
  return bad === undefined ? undefined : `must hold texts only, but '${bad[0]}' is ${JSON.stringify(bad[1])}`;
};

export const roleText: Check = (value) => validateRole(String(value));

export const rolesText: Check = (value) =>
  String(value)
    .split(",")
    .map((role) => validateRole(role))
    .find((problem) => problem !== undefined);

/** A text that another module parses with `parse`. */
const readable =
  (parse: (text: string) => unknown, expected: string): Check =>
  (value) => {
    try {
      parse(String(value));
      return undefined;
    } catch {
      return `must be ${expected}`;
    }
  };

export const rateText = readable(parseRate, "a rate such as 1/10mins");

export const percentText = readable(parsePercent, "a percentage, 0% to 100%");

/** `role=weight,role=weight` */
export const weightsText: Check = (value) => {
  for (const pair of String(value).split(",").filter(Boolean)) {
    const [role, weight, ...rest] = pair.split("=");
    if (weight === undefined || rest.length > 0)
      return `must be of the form role=weight,role=weight, not '${pair}'`;
    const problem = validateRole(role!);
    if (problem !== undefined) return problem;
    if (!(Number(weight) > 0)) return `must give role '${role}' a positive weight, not '${weight}'`;
  }
  return undefined;
};

/** `name:quantity;name:quantity|...` */
export const quantitiesText: Check = (value) => {
  if (value === "") return undefined;
  for (const set of String(value).split("|")) {
    for (const pair of set.split(";")) {
      const [name, quantity, ...rest] = pair.split(":");
      const sound = name !== "" && rest.length === 0 && /^\d+(\.\d+)?$/.test(quantity?.trim() ?? "");
      if (!sound) return `must be of the form name:quantity;...|name:quantity;..., not '${pair}'`;
    }
  }
  return undefined;
};

/** Mesos's isolators that this version lacks. Any other name may come from a plugin; its containerizer checks that. */
const MISSING_ISOLATORS: readonly (readonly [RegExp, string])[] = [
  [/^volume\/csi$/, WHY.CSI],
  [/^appc\/runtime$/, WHY.APPC],
  [/^network\/port_mapping$/, WHY.PORTMAP],
  [/^(windows\/|filesystem\/windows$)/, "it exists on Windows only"],
];

export const isolators: Check = (value) => {
  for (const name of String(value).split(",").filter(Boolean)) {
    const missing = MISSING_ISOLATORS.find(([pattern]) => pattern.test(name));
    if (missing !== undefined) return `has the isolator '${name}': ${missing[1]}`;
  }
  return undefined;
};

interface ModuleManifest {
  readonly libraries?: readonly { readonly modules?: readonly { readonly name?: string }[] }[];
}

export const builtInModules: Check = (value) => {
  // Whoever takes the parameters checks their form.
  const { libraries } = (value ?? {}) as ModuleManifest;
  const modules = Array.isArray(libraries) ? libraries.flatMap((library) => library?.modules ?? []) : [];
  const strange = modules.find((module) => !BUILT_IN_MODULES.includes(module?.name ?? ""));
  if (strange === undefined) return undefined;
  return `names the module '${strange.name ?? ""}': ${WHY.MODULES} (built in: ${BUILT_IN_MODULES.join(", ")})`;
};

export const imageProviders: Check = (value) => {
  for (const name of String(value).split(",").filter(Boolean)) {
    const type = name.trim().toUpperCase();
    if (type === "APPC") return `names APPC: ${WHY.APPC}`;
    if (type !== "DOCKER") return `names '${name}', which is no type of image; there is DOCKER`;
  }
  return undefined;
};

export const masterAddress: Check = (value) => {
  const text = String(value);
  return text === "" ? "must not be empty" : undefined;
};
