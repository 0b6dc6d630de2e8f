import { Call_Type, type Response_GetAgent, Response_Type } from "../../proto/gen/mesos/v1/agent/agent.js";
import type { AgentView } from "../../sdk/contracts/agent-view.js";
import type { CallHandler } from "./call-context.js";

/** The calls that read something of the agent itself. */
export const READS: { readonly [type: number]: CallHandler } = {
  [Call_Type.GET_AGENT]: ({ api, respond }) =>
    respond({ type: Response_Type.GET_AGENT, get_agent: agentOf(api.view) }),
};

/** The start of draining is told in whole seconds. */
function agentOf({ info, drainConfig, estimatedDrainStartTime: start }: AgentView): Response_GetAgent {
  const agent: Response_GetAgent = { agent_info: info };
  if (drainConfig !== undefined) agent.drain_config = drainConfig;
  if (start !== undefined) {
    agent.estimated_drain_start_time = { nanoseconds: BigInt(Math.floor(start)) * 1_000_000_000n };
  }
  return agent;
}
