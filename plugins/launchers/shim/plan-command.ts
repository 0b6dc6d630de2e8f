import type { LaunchPlan } from "../../../sdk/contracts/launcher.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import type { LaunchCommand } from "./protocol.js";
import { numberedLimits } from "./resource-limits.js";

/** What every launcher tells its helper of a plan. */
export function planCommand(plan: LaunchPlan): LaunchCommand {
  const { contribution } = plan;
  const program = plan.program ?? plan.argv[0];
  if (program === undefined || program === "") throw refused("there is no program to execute");
  const wrap = contribution.wrap ?? [];
  const plain = plan.argv.length === 0 ? [program] : plan.argv;
  return {
    gated: plan.immediate !== true,
    bound: !plan.outlivesAgent,
    id: plan.containerId,
    record: plan.record,
    workingDirectory: plan.workingDirectory,
    user: plan.user,
    groups: (contribution.supplementaryGroups ?? []).map(String),
    stdout: plan.stdout,
    stderr: plan.stderr,
    program: wrap[0] ?? program,
    argv: wrap.length === 0 ? plain : [...wrap, program, ...plan.argv.slice(1)],
    environment: plan.environment,
    cgroups: contribution.cgroups ?? [],
    before: contribution.preExec ?? [],
    limits: numberedLimits(contribution.rlimits ?? {}),
    noNewPrivileges: contribution.noNewPrivileges === true,
    oomScoreAdjust: contribution.oomScoreAdjust,
    ...(plan.switchboard && { switchboard: plan.switchboard }),
  };
}

export const refused = (detail: string): TepuiError =>
  new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail });
