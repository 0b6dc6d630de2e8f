import type { AgentInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { incompatibilities, isReconfigured, type ReconfigurationPolicy } from "./compatibility.js";
import type { SavedAgent } from "./saved-state.js";

export interface ThisRun {
  readonly info: AgentInfo;
  /** Names the present boot of the host. */
  readonly bootId: string;
  readonly policy: ReconfigurationPolicy;
  /** What makes it a new agent when it is removed. */
  readonly latest: string;
}

export interface Succession {
  /** It is the agent that the last run was; otherwise a new one, because of the changes. */
  readonly asBefore: boolean;
  readonly changes: readonly string[];
  /** Nothing of the last run is running any more. */
  readonly rebooted: boolean;
  /** It says something else of itself than the last run did. */
  readonly reconfigured: boolean;
}

/** Whether this run of an agent is the same agent. Throws TEPUI_AGENT_RECOVERY_FAILED where it must be and is not: tasks may be running. */
export function succession(saved: SavedAgent, { info, bootId, policy, latest }: ThisRun): Succession {
  const before = saved.info ?? info;
  const changes = incompatibilities(policy, before, info);
  const asBefore = changes.length === 0;
  const rebooted = saved.bootId !== undefined && saved.bootId !== bootId;
  // After a reboot nothing runs any more, so that nothing is lost by being another agent.
  if (!asBefore && !rebooted) {
    const problems = [...changes, wayOut(policy, latest)];
    throw new TepuiError("TEPUI_AGENT_RECOVERY_FAILED", { problems });
  }
  return { asBefore, changes, rebooted, reconfigured: isReconfigured(before, info) };
}

function wayOut(policy: ReconfigurationPolicy, latest: string): string {
  const wider = policy === "any" ? "" : " allow the change with --reconfiguration_policy=additive or any,";
  return `start the agent as it was,${wider} or remove '${latest}' to start as a new agent and end all tasks of this one`;
}
