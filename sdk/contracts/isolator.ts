import type {
  ContainerStatus,
  ResourceStatistics,
  TaskResourceLimitation,
  TaskStatus_Reason,
} from "../../proto/gen/mesos/v1/mesos.js";
import { extensionPoint } from "../plugin/extension-point.js";
import type { Resources } from "../resources/index.js";
import type { ContainerRequest, RecoverableContainer } from "./containerizer.js";
import type { Contribution } from "./contribution.js";

/** A limit was crossed: the container is to be ended with this reason. */
export interface ContainerLimitation {
  readonly message: string;
  readonly reason: TaskStatus_Reason;
  readonly limitation?: TaskResourceLimitation | undefined;
}

/** What a running container is to have from now on. */
export interface ContainerUpdate {
  readonly resources: Resources;
  /** Hard limits above the requests: resource name -> amount, `Infinity` for none. */
  readonly limits: Readonly<Record<string, number>>;
  /** The main process, as the host sees it; undefined while there is none. */
  readonly pid: number | undefined;
}

/**
 * One aspect of isolation. Containers are named by `containerName` of their id, which is unique on the host and fit for a file name. Only `name` is mandatory; a rejected promise of `prepare` or `isolate` fails the launch with its message,
 * after the name of the isolator.
 *
 * For one container the calls are `prepare`, `isolate`, any of the others, and at the end `cleanup`, which also follows a failed
 * `prepare` or `isolate`. After a restart of the agent `recover` stands in for the first two.
 */
export interface Isolator {
  /** As in `--isolation`, e.g. `posix/cpu`. */
  readonly name: string;
  /** Whether it has a part in containers within containers; absent: it never sees any. Debug containers are seen by none. */
  readonly nesting?: boolean;
  /**
   * Takes back what an earlier run of the agent made for these containers, and removes what it made for any other. Called once, before
   * any launch; all processes of other containers have ended.
   */
  recover?(containers: readonly RecoverableContainer[]): Promise<void>;
  prepare?(request: ContainerRequest): Promise<Contribution | undefined>;
  /** The main process exists (`pid`, as the host sees it) and waits for this to resolve. `plan` is what all isolators contributed. */
  isolate?(containerId: string, pid: number, plan: Contribution): Promise<void>;
  /**
   * New amounts for a running container. An isolator that contributes `devices` returns all that it contributes now; nothing else of a plan
   * can change while the container runs.
   */
  update?(
    containerId: string,
    to: ContainerUpdate,
    // biome-ignore lint/suspicious/noConfusingVoidType: an update that changes no plan returns nothing.
  ): Promise<Pick<Contribution, "devices"> | void>;
  /** An update changed the plan of a running container: to these devices, from all isolators together. */
  replan?(containerId: string, plan: Pick<Contribution, "devices">): Promise<void>;
  /** Fields of the statistics that this isolator knows. */
  usage?(containerId: string, pid: number): Promise<Partial<ResourceStatistics>>;
  /** Fields of the status that this isolator knows; `cgroup_info` is merged field by field. */
  status?(containerId: string): Promise<Partial<ContainerStatus>>;
  /** Resolves when a limit is crossed; never otherwise. The signal ends the watch. */
  watch?(containerId: string, signal: AbortSignal): Promise<ContainerLimitation>;
  /**
   * After the end of the main process, and before `cleanup`: why it ended, where that was a limit which the watch may not have told in
   * time (the kernel's OOM killer is faster than any watch).
   */
  verdict?(containerId: string): Promise<ContainerLimitation | undefined>;
  /** Removes everything. No process of the container is left. Idempotent; also for containers that it never saw. */
  cleanup?(containerId: string): Promise<void>;
}

export const Isolator = extensionPoint<Isolator, "ordered">("tepui.isolator", {
  version: "1.0",
  cardinality: "ordered",
});
