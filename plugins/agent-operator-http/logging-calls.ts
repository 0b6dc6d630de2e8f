import { Call_Type, Response_Type } from "../../proto/gen/mesos/v1/agent/agent.js";
import { durationFromNs } from "../../sdk/values/index.js";
import type { CallHandler } from "./call-context.js";

/** The calls about the daemon's own log. */
export const LOGGING_CALLS: { readonly [type: number]: CallHandler } = {
  [Call_Type.GET_LOGGING_LEVEL]: ({ api, respond }) =>
    respond({ type: Response_Type.GET_LOGGING_LEVEL, get_logging_level: { level: api.verbosity.level } }),
  [Call_Type.SET_LOGGING_LEVEL]: ({ api, call, reply }) => {
    const { level = 0, duration } = call.set_logging_level ?? {};
    api.verbosity.set(level, durationFromNs(duration?.nanoseconds ?? 0n));
    reply.send(200);
  },
};
