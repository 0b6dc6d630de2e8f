import type { Target } from "../../sdk/plugin/index.js";
import type { EffectiveSetting } from "./effective-settings.js";

type Settings = ReadonlyMap<string, EffectiveSetting>;

/**
 * Checks of several settings together that Mesos's daemons make at startup. Missing settings are not among them: what is required depends
 * on the plugins.
 */
export function startChecks(target: Target, settings: Settings): string[] {
  const text = (name: string): string | undefined => settings.get(name)?.text;
  const problems: string[] = [];
  if (text("ip") !== undefined && text("ip_discovery_command") !== undefined) {
    problems.push(
      `only one of --ip${from(settings, "ip")} and --ip_discovery_command${from(settings, "ip_discovery_command")} may be given`,
    );
  }
  return target === "master" ? [...problems, ...masterChecks(settings)] : problems;
}

function masterChecks(settings: Settings): string[] {
  const text = (name: string): string | undefined => settings.get(name)?.text;
  const problems: string[] = [];
  if (Number(text("quorum") ?? 1) > 1 && text("zk") === undefined) {
    problems.push(
      `--quorum${from(settings, "quorum")}: without --zk the registry is kept by one master, without replicas`,
    );
  }
  const roles = text("roles")?.split(",");
  for (const pair of text("weights")?.split(",").filter(Boolean) ?? []) {
    const role = pair.split("=")[0]!;
    if (roles !== undefined && role !== "*" && !roles.includes(role)) {
      problems.push(`--weights: has a weight for '${role}', which is not one of the --roles`);
    }
  }
  return problems;
}

/** Where the setting came from, unless that is the command line. */
function from(settings: Settings, name: string): string {
  const origin = settings.get(name)?.origin;
  return origin === undefined || origin.kind === "flag" ? "" : ` (${origin.where})`;
}
