import type { Resources } from "../../sdk/resources/index.js";

const MB = 1024 * 1024;
/** Mesos gives no container less. */
const LEAST = 32 * MB;

const bytesOf = (megabytes: number): number => Math.max(Math.trunc(megabytes) * MB, LEAST);

export interface MemoryLimits {
  /** Bytes that the container keeps when the host runs short. */
  readonly soft: number;
  /** Bytes that it is ended for exceeding; undefined: none. */
  readonly hard: number | undefined;
}

/**
 * What the kernel is told for these resources, as Mesos reckons it.
 *
 * @param limit in megabytes; `Infinity` for none, undefined for the request
 */
export function memoryLimits(resources: Resources, limit: number | undefined): MemoryLimits {
  const soft = bytesOf(resources.mem);
  if (limit === undefined) return { soft, hard: soft };
  return { soft, hard: Number.isFinite(limit) ? bytesOf(limit) : undefined };
}

/**
 * How willingly the kernel ends a container that may use more than it asked for, when the host runs out of memory: so that one that uses
 * what it asked for is at about 1000 with the part that the kernel adds for its use. Undefined for those that may not.
 */
export function oomScoreAdjust({ soft, hard }: MemoryLimits, hostBytes: number): number | undefined {
  if (hard !== undefined && hard <= soft) return undefined;
  return Math.min(Math.max(1000 - Math.trunc((1000 * soft) / hostBytes), -1000), 1000);
}
