import { constants } from "node:os";
import {
  type Call,
  Call_Type,
  Response_Type,
  type Response_WaitContainer,
} from "../../proto/gen/mesos/v1/agent/agent.js";
import type { ContainerID } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerLaunch } from "../../sdk/contracts/agent-containers.js";
import type { ContainerTermination } from "../../sdk/contracts/containerizer.js";
import { isTepuiError, TepuiError } from "../../sdk/errors/index.js";
import type { AgentApi, CallHandler } from "./call-context.js";

/** Where it fails, what was asked for is the likely cause: Mesos answers with 400, not 500. */
export async function launched(
  { containers }: AgentApi,
  launch: ContainerLaunch,
): Promise<"launched" | "exists"> {
  try {
    return await containers.launch(launch);
  } catch (error) {
    if (!isTepuiError(error) || error.code !== "TEPUI_CONTAINER_LAUNCH_FAILED") throw error;
    const detail = error.detail ?? error.message;
    throw new TepuiError("TEPUI_CONTAINER_REQUEST_INVALID", { detail, cause: error });
  }
}

const launchNested: CallHandler = async ({ api, call, reply }) => {
  const part = call.launch_nested_container!;
  const { command, container } = part;
  const containerId = part.container_id!;
  const done = await launched(api, { containerId, command, container, resources: [], limits: {} });
  reply.send(done === "launched" ? 200 : 202);
};

const launch: CallHandler = async ({ api, call, reply }) => {
  const part = call.launch_container!;
  const { command, container, resources } = part;
  const limits = Object.fromEntries(
    Object.entries(part.limits).map(([name, scalar]) => [name, scalar.value ?? 0]),
  );
  const containerId = part.container_id!;
  const done = await launched(api, { containerId, command, container, resources, limits });
  reply.send(done === "launched" ? 200 : 202);
};

const wait =
  (read: (call: Call) => ContainerID, nested: boolean): CallHandler =>
  async ({ api, call, reply, respond }) => {
    const answer = waitAnswer(await api.containers.wait(read(call), reply.closed));
    if (nested) respond({ type: Response_Type.WAIT_NESTED_CONTAINER, wait_nested_container: answer });
    else respond({ type: Response_Type.WAIT_CONTAINER, wait_container: answer });
  };

const kill =
  (
    read: (call: Call) => { container_id?: ContainerID | undefined; signal?: number | undefined },
  ): CallHandler =>
  async ({ api, call, reply }) => {
    const { container_id: containerId, signal = constants.signals.SIGKILL } = read(call);
    await api.containers.kill(containerId!, signal);
    reply.send(200);
  };

const remove =
  (read: (call: Call) => ContainerID): CallHandler =>
  async ({ api, call, reply }) => {
    await api.containers.remove(read(call));
    reply.send(200);
  };

/** Those that have one answer. */
export const CONTAINER_CALLS: { readonly [type: number]: CallHandler } = {
  [Call_Type.LAUNCH_NESTED_CONTAINER]: launchNested,
  [Call_Type.LAUNCH_CONTAINER]: launch,
  [Call_Type.WAIT_NESTED_CONTAINER]: wait((call) => call.wait_nested_container!.container_id!, true),
  [Call_Type.WAIT_CONTAINER]: wait((call) => call.wait_container!.container_id!, false),
  [Call_Type.KILL_NESTED_CONTAINER]: kill((call) => call.kill_nested_container!),
  [Call_Type.KILL_CONTAINER]: kill((call) => call.kill_container!),
  [Call_Type.REMOVE_NESTED_CONTAINER]: remove((call) => call.remove_nested_container!.container_id!),
  [Call_Type.REMOVE_CONTAINER]: remove((call) => call.remove_container!.container_id!),
};

/** The status is that of wait(2). */
function waitAnswer({ exit, reason, limitation, message }: ContainerTermination): Response_WaitContainer {
  const status =
    exit === undefined ? undefined : exit.signal !== undefined ? exit.signal : (exit.code ?? 0) << 8;
  return { exit_status: status, reason, limitation, message };
}
