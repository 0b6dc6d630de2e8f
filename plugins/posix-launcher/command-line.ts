import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { LaunchPlan } from "../../sdk/contracts/launcher.js";
import { TepuiError } from "../../sdk/errors/index.js";

/**
 * The program to execute and its arguments, with what isolators put in front of it. Refuses what plain processes
 * cannot have, rather than running the command with less isolation than was asked for.
 */
export function commandLine(plan: LaunchPlan): { program: string; argv: readonly string[] } {
  const { contribution } = plan;
  const refused = unsupported(contribution);
  if (refused.length > 0) {
    throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", {
      detail: `the posix launcher cannot give a container ${refused.join(", ")}; this needs another launcher`,
    });
  }
  const prefix = [...(contribution.wrap ?? []), ...privileges(contribution), ...limits(contribution)];
  const program = plan.program ?? plan.argv[0];
  if (program === undefined || program === "") {
    throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail: "there is no program to execute" });
  }
  if (prefix.length === 0) return { program, argv: plan.argv.length === 0 ? [program] : plan.argv };
  return { program: prefix[0]!, argv: [...prefix, program, ...plan.argv.slice(1)] };
}

function unsupported(contribution: Contribution): string[] {
  const refused: string[] = [];
  if (contribution.namespaces?.length) refused.push(`namespaces (${contribution.namespaces.join(", ")})`);
  const entered = Object.keys(contribution.enter ?? {});
  if (entered.length > 0) refused.push(`existing namespaces (${entered.join(", ")})`);
  if (contribution.seccompFilter !== undefined) refused.push("a seccomp filter");
  if (contribution.mounts?.length) refused.push("mounts");
  if (contribution.rootfs !== undefined) refused.push("a root file system");
  if (contribution.capabilities !== undefined) refused.push("capabilities");
  return refused;
}

/** setpriv(1) and prlimit(1) are part of util-linux. */
const privileges = (contribution: Contribution): string[] =>
  contribution.noNewPrivileges === true ? ["setpriv", "--no-new-privs"] : [];

function limits(contribution: Contribution): string[] {
  const entries = Object.entries(contribution.rlimits ?? {});
  if (entries.length === 0) return [];
  const text = (value: number | undefined): string => (value === undefined ? "unlimited" : String(value));
  return ["prlimit", ...entries.map(([name, { soft, hard }]) => `--${name}=${text(soft)}:${text(hard)}`)];
}
