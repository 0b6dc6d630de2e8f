import type { ContainerExit } from "../../../sdk/contracts/containerizer.js";
import { Deferred } from "./deferred.js";
import type { ShimRecord } from "./exit-record.js";

/** A control group that no process of a container can leave; what `sdk/node-cgroup` gives. */
export interface Cage {
  /** By its path below the root of the hierarchy. */
  readonly path: string;
  exists(): boolean;
  processes(reach?: { readonly below?: boolean }): number[];
  kill(patience?: { readonly timeoutMs?: number }): Promise<void>;
  destroy(patience?: { readonly timeoutMs?: number }): Promise<void>;
}

/** What a launcher knows of a container. */
export interface Tracked {
  readonly id: string;
  readonly record: string;
  shim: ShimRecord | undefined;
  /** Under a shared shim: every process ever seen, by pid with its start, since orphans cannot be found otherwise. */
  readonly seen: Map<number, number>;
  readonly prepared: Deferred<number>;
  readonly running: Deferred<void>;
  readonly exited: Deferred<ContainerExit | undefined>;
  readonly gone: Deferred<void>;
  cage: Cage | undefined;
  isGone: boolean;
  watched: boolean;
}

export const tracked = (id: string, record: string): Tracked => ({
  id,
  record,
  shim: undefined,
  seen: new Map(),
  prepared: new Deferred(),
  running: new Deferred(),
  exited: new Deferred(),
  gone: new Deferred(),
  cage: undefined,
  isGone: false,
  watched: false,
});
