import type { Contribution } from "../../../sdk/contracts/contribution.js";
import type { LaunchPlan } from "../../../sdk/contracts/launcher.js";
import { planCommand, refused } from "../shim/plan-command.js";
import type { LaunchCommand } from "../shim/protocol.js";

/** Refuses what plain processes cannot have, rather than running the command with less isolation than was asked for. */
export function posixCommand(plan: LaunchPlan): LaunchCommand {
  const lacking = unsupported(plan.contribution);
  if (lacking.length > 0) {
    throw refused(
      `the posix launcher cannot give a container ${lacking.join(", ")}; the linux launcher can (--launcher=linux)`,
    );
  }
  return planCommand(plan);
}

function unsupported(contribution: Contribution): string[] {
  const { namespaces = [], enter = {}, rootfs } = contribution;
  const lacking: string[] = [];
  if (namespaces.length > 0) lacking.push(`namespaces (${namespaces.join(", ")})`);
  const entered = Object.keys(enter);
  if (entered.length > 0) lacking.push(`existing namespaces (${entered.join(", ")})`);
  if (rootfs !== undefined) lacking.push("a root file system");
  for (const [part, name] of PARTS) {
    const value = contribution[part];
    if (value !== undefined && Object.keys(value).length > 0) lacking.push(name);
  }
  return lacking;
}

const PARTS = [
  ["mounts", "mounts"],
  ["deviceNodes", "device nodes"],
  ["symlinks", "symbolic links"],
  ["maskedPaths", "masked paths"],
  ["readonlyPaths", "read-only paths"],
  ["hostname", "a host name"],
  ["capabilities", "capabilities"],
  ["seccompFilter", "a seccomp filter"],
] as const satisfies readonly (readonly [keyof Contribution, string])[];
