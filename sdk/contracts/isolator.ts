import type {
  ContainerStatus,
  ResourceStatistics,
  TaskResourceLimitation,
  TaskStatus_Reason,
} from "../../proto/gen/mesos/v1/mesos.js";
import { extensionPoint } from "../plugin/extension-point.js";
import type { Resources } from "../resources/index.js";
import type { ContainerRequest, RecoverableContainer } from "./containerizer.js";

export interface ContainerMount {
  /** Host path, or the file system's device name. */
  readonly source: string;
  /** Path in the container, absolute, or relative to the sandbox. */
  readonly target: string;
  readonly type?: string | undefined;
  /** mount(8) options: `bind`, `rbind`, `ro`, ... */
  readonly options?: readonly string[] | undefined;
}

export type Namespace = "pid" | "ipc" | "mount" | "network" | "uts" | "cgroup";

/**
 * What an isolator adds to a container: pure data, merged in manifest order (later wins for single values),
 * applied by the launcher. Every field may be absent.
 */
export interface Contribution {
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDirectory?: string;
  readonly user?: string;
  readonly namespaces?: readonly Namespace[];
  /** Network namespace to enter: a path such as `/run/netns/x`. */
  readonly networkNamespace?: string;
  readonly mounts?: readonly ContainerMount[];
  readonly rootfs?: string;
  /** Directories below the cgroup mounts that the main process joins before it starts: absolute paths. */
  readonly cgroups?: readonly string[];
  /** Shell commands run in the container's namespaces before the main process. */
  readonly preExec?: readonly string[];
  /** rlimit name (`nofile`) -> soft and hard; undefined is unlimited. */
  readonly rlimits?: Readonly<Record<string, { soft: number | undefined; hard: number | undefined }>>;
  /** Linux capabilities without `CAP_`. */
  readonly capabilities?: { readonly effective?: readonly string[]; readonly bounding?: readonly string[] };
  readonly noNewPrivileges?: boolean;
  /** Words put in front of the command line, outermost first (e.g. `["nice", "-n", "5"]`). */
  readonly wrap?: readonly string[];
}

/** A limit was crossed: the container is to be ended with this reason. */
export interface ContainerLimitation {
  readonly message: string;
  readonly reason: TaskStatus_Reason;
  readonly limitation?: TaskResourceLimitation | undefined;
}

/** One aspect of isolation. Only `name` is mandatory; a rejected promise of `prepare` or `isolate` fails the launch with its message. */
export interface Isolator {
  /** As in `--isolation`, e.g. `posix/cpu`. */
  readonly name: string;
  recover?(containers: readonly RecoverableContainer[]): Promise<void>;
  prepare?(request: ContainerRequest): Promise<Contribution | undefined>;
  /** The main process exists (`pid`) and waits for this to resolve. */
  isolate?(containerId: string, pid: number): Promise<void>;
  update?(containerId: string, resources: Resources, limits: Readonly<Record<string, number>>): Promise<void>;
  /** Fields of the statistics that this isolator knows. */
  usage?(containerId: string, pid: number): Promise<Partial<ResourceStatistics>>;
  status?(containerId: string): Promise<Partial<ContainerStatus>>;
  /** Resolves when a limit is crossed; never otherwise. The signal ends the watch. */
  watch?(containerId: string, signal: AbortSignal): Promise<ContainerLimitation>;
  cleanup?(containerId: string): Promise<void>;
}

export const Isolator = extensionPoint<Isolator, "ordered">("tepui.isolator", {
  version: "1.0",
  cardinality: "ordered",
});
