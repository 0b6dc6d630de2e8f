import {
  type ContainerInfo,
  ContainerInfo_Type,
  TaskStatus_Reason as Reason,
  type Resource,
  Value_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest, ContainerTermination } from "../../sdk/contracts/containerizer.js";
import { TepuiError } from "../../sdk/errors/index.js";
import type { ResourceSettings } from "./api-types.js";
import type { ContainerFacts } from "./engine.js";
import type { LogCopy } from "./log-copy.js";
import type { Amounts } from "./resource-settings.js";

/** As the engine knows the containers of Mesos. */
export const NAME_PREFIX = "mesos-";
/** Whose container it is: of the agent with this work directory. */
export const AGENT_LABEL = "tepui.agent";
export const ID_LABEL = "tepui.container";
/** It is to be removed as soon as it is over. */
export const REMOVE_LABEL = "tepui.rm";

export const isDocker = (container: ContainerInfo | undefined): boolean =>
  container?.type === ContainerInfo_Type.DOCKER;

export const refused = (detail: string, cause?: unknown): TepuiError =>
  new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail, cause });

/** One container, from its launch until its owner destroys it. */
export class DockerContainer {
  readonly id: string;
  readonly name: string;
  /** By what the engine is asked for it: its name, and, once it is made, what the engine calls it, which nobody changes. */
  handle: string;
  readonly abort = new AbortController();
  amounts: Amounts;
  /** As told to the engine. */
  settings: ResourceSettings = {};
  removeAtOnce = false;
  facts: ContainerFacts | undefined;
  /** What its task's status is to say of it, until that was asked for. */
  description: Buffer | undefined;
  logs: LogCopy | undefined;
  /** The engine has it. */
  created = false;
  /** Settles when it runs, or will not. */
  started: Promise<void> = Promise.resolve();
  running = false;
  /** Its memory ran out. */
  outOfMemory = false;
  /** Somebody wanted its end. */
  signalled = false;
  /** The engine said that it ended. */
  died: { readonly exitCode: number | undefined } | undefined;
  finishing: Promise<void> | undefined;
  destroying: Promise<void> | undefined;
  /** Resolves with how it ended. */
  readonly ended: Promise<ContainerTermination>;
  over = false;
  private settle!: (termination: ContainerTermination) => void;

  constructor(
    readonly request: ContainerRequest,
    amounts: Amounts,
  ) {
    this.id = request.containerId.value!;
    this.name = `${NAME_PREFIX}${this.id}`;
    this.handle = this.name;
    this.amounts = amounts;
    this.ended = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  end(termination: ContainerTermination): void {
    this.over = true;
    this.running = false;
    this.settle(termination);
  }
}

/** As shells do: 128 and the signal's number. */
const KILLED = 128 + 9;

/** Whether more than its exit code is needed to tell why a container ended. */
export const isUnclear = (exitCode: number): boolean => exitCode === KILLED;

/** How the engine says that a container ended. */
export function terminationOf(
  container: DockerContainer,
  facts: Pick<ContainerFacts, "exitCode" | "oomKilled">,
): ContainerTermination {
  const exit = { code: facts.exitCode, signal: undefined };
  // Both may also be of a child that nobody missed, long ago.
  const outOfMemory =
    (facts.oomKilled || container.outOfMemory) && facts.exitCode === KILLED && !container.signalled;
  if (!outOfMemory) return { exit };
  const { resources, limits } = container.amounts;
  const limit = limits.mem ?? resources.mem;
  return {
    exit,
    reason: Reason.REASON_CONTAINER_LIMITATION_MEMORY,
    message: `Memory limit exceeded: Requested: ${resources.mem}MB Limit: ${limit}MB`,
    limitation: { resources: [memory(limit)] },
  };
}

const memory = (mb: number): Resource => ({
  name: "mem",
  type: Value_Type.SCALAR,
  scalar: { value: mb },
  reservations: [],
});
