import type { PluginDefinition } from "../../sdk/plugin/index.js";

const CARDINALITIES: readonly unknown[] = ["one", "many", "ordered", "keyed"];
const TARGETS: readonly unknown[] = ["master", "agent"];
const POLICIES: readonly unknown[] = ["abort", "degrade", "skip"];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

/** Whether this was made by definePlugin, possibly of another copy of the package. Its fields may still be invalid. */
export function isPluginDefinition(value: unknown): value is PluginDefinition {
  return isObject(value) && value.kind === "tepui-plugin";
}

/** What is wrong with the declared part of a plugin. Nobody else checks plugins written in JavaScript. */
export function checkDefinition(definition: PluginDefinition): string[] {
  const problems: string[] = [];
  const { name, version, description, targets, provides, requires, config, failure, setup } =
    definition as unknown as Record<string, unknown>;
  if (typeof name !== "string" || !/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    problems.push(`its name must be lower-case letters, digits and dashes, found ${show(name)}`);
  }
  if (typeof version !== "string" || !/^\d+\.\d+\.\d+/.test(version)) {
    problems.push(`its version must be like 1.0.0, found ${show(version)}`);
  }
  if (typeof description !== "string") problems.push("its description must be a text");
  if (
    !Array.isArray(targets) ||
    targets.length === 0 ||
    !targets.every((target) => TARGETS.includes(target))
  ) {
    problems.push(`its targets must be "master", "agent" or both, found ${show(targets)}`);
  }
  if (!POLICIES.includes(failure)) {
    problems.push(`its failure policy must be abort, degrade or skip, found ${show(failure)}`);
  }
  if (typeof setup !== "function") problems.push("it has no setup function");
  if (config !== undefined && !(isObject(config) && typeof config.safeParse === "function")) {
    problems.push("its config must be a zod schema");
  }
  if (!Array.isArray(provides)) problems.push("its provides must be a list of extension points");
  else for (const point of provides) problems.push(...checkPoint("provides", point));
  if (!isObject(requires)) problems.push("its requires must be an object of extension points");
  else {
    for (const [key, dependency] of Object.entries(requires)) {
      const point = isObject(dependency) && "optional" in dependency ? dependency.optional : dependency;
      problems.push(...checkPoint(`requires.${key}`, point));
    }
  }
  return problems;
}

function checkPoint(field: string, point: unknown): string[] {
  const ok =
    isObject(point) &&
    typeof point.name === "string" &&
    typeof point.token === "symbol" &&
    typeof point.version === "string" &&
    /^\d+\.\d+$/.test(point.version) &&
    CARDINALITIES.includes(point.cardinality);
  return ok ? [] : [`its ${field} holds something that extensionPoint() did not make: ${show(point)}`];
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
