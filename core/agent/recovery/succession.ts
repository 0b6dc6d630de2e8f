import type { AgentInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import {
  incompatibilities,
  isReconfigured,
  RECONFIGURATION_POLICIES,
  type ReconfigurationPolicy,
} from "./compatibility.js";
import type { SavedAgent } from "./saved-state.js";

export interface ThisRun {
  readonly info: AgentInfo;
  /** Identifies the current boot of the host. */
  readonly bootId: string;
  readonly policy: ReconfigurationPolicy;
  /** The link whose removal makes this a new agent. */
  readonly latest: string;
}

export interface Succession {
  /** This is the same agent as in the last run; otherwise it is a new one, because of the changes. */
  readonly asBefore: boolean;
  readonly changes: readonly string[];
  /** Nothing from the last run is running any more. */
  readonly rebooted: boolean;
  /** Its description differs from that of the last run. */
  readonly reconfigured: boolean;
}

/**
 * Decides whether this is the same agent as in the last run. Throws TEPUI_AGENT_RECOVERY_FAILED if it is not but has to be, because tasks
 * may be running.
 */
export function succession(saved: SavedAgent, { info, bootId, policy, latest }: ThisRun): Succession {
  const before = saved.info ?? info;
  const changes = incompatibilities(policy, before, info);
  const asBefore = changes.length === 0;
  const rebooted = saved.bootId !== undefined && saved.bootId !== bootId;
  // After a reboot nothing is running, so nothing is lost by becoming a new agent.
  if (!asBefore && !rebooted) {
    const allowing = RECONFIGURATION_POLICIES.filter(
      (one) => incompatibilities(one, before, info).length === 0,
    );
    const problems = [...changes, wayOut(allowing, latest)];
    throw new TepuiError("TEPUI_AGENT_RECOVERY_FAILED", { problems });
  }
  return { asBefore, changes, rebooted, reconfigured: isReconfigured(before, info) };
}

/** @param allowing the policies that would allow the changes; none, if the address changed */
function wayOut(allowing: readonly ReconfigurationPolicy[], latest: string): string {
  const wider =
    allowing.length === 0 ? "" : ` allow the change with --reconfiguration_policy=${allowing.join(" or ")},`;
  return `start the agent as it was,${wider} or remove '${latest}' to start as a new agent and end all tasks of this one`;
}
