import { Call_Type } from "../../proto/gen/mesos/v1/agent/agent.js";
import { attachInput } from "./attach-input.js";
import { attachOutput } from "./attach-output.js";
import type { CallHandler } from "./call-context.js";
import { CONTAINER_CALLS } from "./container-calls.js";
import { READS } from "./reads.js";
import { launchSession } from "./session.js";

/** The calls that there are, by type; others are answered with 501. */
export const CALLS: { readonly [type: number]: CallHandler } = {
  ...CONTAINER_CALLS,
  ...READS,
  [Call_Type.ATTACH_CONTAINER_INPUT]: attachInput,
  [Call_Type.ATTACH_CONTAINER_OUTPUT]: attachOutput,
  [Call_Type.LAUNCH_NESTED_CONTAINER_SESSION]: launchSession,
};
