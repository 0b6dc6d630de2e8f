import { Call_Type, type Response_GetAgent, Response_Type } from "../../proto/gen/mesos/v1/agent/agent.js";
import type { AgentView } from "../../sdk/contracts/agent-view.js";
import { versionInfo } from "../../sdk/v0-json/index.js";
import type { CallHandler } from "./call-context.js";
import { executorsOf, frameworksOf, tasksOf } from "./state.js";

/** The calls that read something of the agent itself. */
export const READS: { readonly [type: number]: CallHandler } = {
  [Call_Type.GET_HEALTH]: ({ respond }) =>
    respond({ type: Response_Type.GET_HEALTH, get_health: { healthy: true } }),
  [Call_Type.GET_FLAGS]: ({ api, respond }) => {
    const flags = Array.from(api.view.flags, ([name, value]) => ({ name, value }));
    respond({ type: Response_Type.GET_FLAGS, get_flags: { flags } });
  },
  [Call_Type.GET_VERSION]: ({ api, respond }) =>
    respond({ type: Response_Type.GET_VERSION, get_version: { version_info: versionInfo(api.build) } }),
  // The timeout bounds how long Mesos waits for its actors; here every metric is read at once.
  [Call_Type.GET_METRICS]: ({ api, respond }) => {
    const metrics = Array.from(api.metrics.snapshot(), ([name, value]) => ({ name, value }));
    respond({ type: Response_Type.GET_METRICS, get_metrics: { metrics } });
  },
  [Call_Type.GET_STATE]: ({ api: { view }, respond }) =>
    respond({
      type: Response_Type.GET_STATE,
      get_state: {
        get_tasks: tasksOf(view),
        get_executors: executorsOf(view),
        get_frameworks: frameworksOf(view),
      },
    }),
  [Call_Type.GET_FRAMEWORKS]: ({ api, respond }) =>
    respond({ type: Response_Type.GET_FRAMEWORKS, get_frameworks: frameworksOf(api.view) }),
  [Call_Type.GET_EXECUTORS]: ({ api, respond }) =>
    respond({ type: Response_Type.GET_EXECUTORS, get_executors: executorsOf(api.view) }),
  [Call_Type.GET_TASKS]: ({ api, respond }) =>
    respond({ type: Response_Type.GET_TASKS, get_tasks: tasksOf(api.view) }),
  [Call_Type.GET_OPERATIONS]: ({ api, respond }) =>
    respond({
      type: Response_Type.GET_OPERATIONS,
      get_operations: { operations: [...api.view.operations()] },
    }),
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
