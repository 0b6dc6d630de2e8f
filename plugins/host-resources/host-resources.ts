import { statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { type Resource, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import type { DetectionRequest, ResourceDetector } from "../../sdk/contracts/resource-detector.js";

const MB = 1024 * 1024;
const GB_IN_MB = 1024;
const DEFAULT_MEM_MB = 1024;
const DEFAULT_DISK_MB = 10 * GB_IN_MB;
const DEFAULT_PORTS = { begin: 31000, end: 32000 };

/** Facts about the host; each may be unknown. */
export interface HostFacts {
  cpus(): number;
  /** Bytes. */
  memory(): number;
  /** Size of the file system that holds the path, in bytes. */
  disk(path: string): Promise<number>;
}

export const HOST: HostFacts = {
  cpus: availableParallelism,
  memory: totalmem,
  disk: async (path) => {
    const { bsize, blocks } = await statfs(path);
    return bsize * blocks;
  },
};

/** Finds cpus, mem, disk and ports as Mesos does: some memory and disk is left to the host. */
export class HostResources implements ResourceDetector {
  constructor(private readonly host: HostFacts = HOST) {}

  async detect({ workDir, given }: DetectionRequest): Promise<readonly Resource[]> {
    const found: Resource[] = [];
    if (!given.has("cpus")) found.push(scalar("cpus", Math.max(1, this.host.cpus())));
    if (!given.has("mem")) found.push(scalar("mem", memoryMb(this.host.memory())));
    if (!given.has("disk")) found.push(scalar("disk", await this.diskMb(workDir)));
    if (!given.has("ports")) found.push(ports());
    return found;
  }

  private async diskMb(workDir: string): Promise<number> {
    const bytes = await this.host.disk(workDir).catch(() => 0);
    const mb = Math.floor(bytes / MB);
    if (mb === 0) return DEFAULT_DISK_MB;
    return mb >= 10 * GB_IN_MB ? mb - 5 * GB_IN_MB : Math.floor(mb / 2);
  }
}

function memoryMb(bytes: number): number {
  const mb = Math.floor(bytes / MB);
  if (mb === 0) return DEFAULT_MEM_MB;
  return mb >= 2 * GB_IN_MB ? mb - GB_IN_MB : Math.floor(mb / 2);
}

const scalar = (name: string, value: number): Resource => ({
  name,
  type: Value_Type.SCALAR,
  scalar: { value },
  reservations: [],
});

const ports = (): Resource => ({
  name: "ports",
  type: Value_Type.RANGES,
  ranges: { range: [DEFAULT_PORTS] },
  reservations: [],
});
