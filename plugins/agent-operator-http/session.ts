import { constants } from "node:os";
import type { ContainerID } from "../../proto/gen/mesos/v1/mesos.js";
import { isTepuiError } from "../../sdk/errors/index.js";
import { sendOutput } from "./attach-output.js";
import type { AgentApi, CallContext } from "./call-context.js";
import { launched } from "./container-calls.js";

/** Runs a command within a container, for as long as the client listens to its output. How it ended can be asked for until its parent goes. */
export async function launchSession(context: CallContext): Promise<void> {
  const { api, call, reply } = context;
  const { command, container, container_id } = call.launch_nested_container_session!;
  const containerId = container_id!;
  const part = { containerId, command, container, resources: [], limits: {} };
  const done = await launched(api, { ...part, class: "debug", interactive: true });
  if (done === "exists") {
    reply.send(202);
    return;
  }
  try {
    await sendOutput(context, await api.containers.attach(containerId));
  } finally {
    await end(api, containerId);
  }
}

async function end({ containers, logger }: AgentApi, containerId: ContainerID): Promise<void> {
  try {
    await containers.kill(containerId, constants.signals.SIGKILL);
  } catch (error) {
    if (isTepuiError(error) && error.code === "TEPUI_CONTAINER_UNKNOWN") return;
    logger.error({ err: error, container: containerId.value }, "Cannot end a session");
  }
}
