import { Call_Type } from "../../proto/gen/mesos/v1/agent/agent.js";
import { attachInput } from "./attach-input.js";
import { attachOutput } from "./attach-output.js";
import type { CallHandler } from "./call-context.js";
import { CONTAINER_CALLS } from "./container-calls.js";
import { CONTAINER_READS } from "./container-reads.js";
import { FILE_CALLS } from "./file-calls.js";
import { LOGGING_CALLS } from "./logging-calls.js";
import { READS } from "./reads.js";
import { RESOURCE_PROVIDER_CALLS } from "./resource-provider-calls.js";
import { launchSession } from "./session.js";

/** All calls, by type; what is none is answered with 501. */
export const CALLS: { readonly [type: number]: CallHandler } = {
  ...CONTAINER_CALLS,
  ...CONTAINER_READS,
  ...FILE_CALLS,
  ...LOGGING_CALLS,
  ...READS,
  ...RESOURCE_PROVIDER_CALLS,
  [Call_Type.ATTACH_CONTAINER_INPUT]: attachInput,
  [Call_Type.ATTACH_CONTAINER_OUTPUT]: attachOutput,
  [Call_Type.LAUNCH_NESTED_CONTAINER_SESSION]: launchSession,
};
