import { join } from "node:path";
import { CgroupError } from "../cgroup-error.js";
import {
  parseLimit,
  readControl,
  readControlIfAny,
  readCounters,
  readLimit,
  readNumber,
  subdirectories,
  writeControl,
} from "../control-file.js";
import type {
  MemoryControl,
  MemoryLimitOptions,
  MemoryPressureCount,
  MemoryStat,
  OutOfMemory,
} from "../controls.js";
import type { GroupServices } from "../group-services.js";
import { firstOutOfMemory } from "../out-of-memory.js";
import { PressureCountV1 } from "./pressure-v1.js";

/** The kernel raises the event, then chooses whom to kill, then counts the kill: a watch may begin in between. */
const COUNT_LAG_MS = 1000;

export class MemoryV1 implements MemoryControl {
  constructor(
    readonly directory: string,
    readonly services: GroupServices,
  ) {}

  setSoftLimit(bytes: number | undefined): void {
    this.#write("memory.soft_limit_in_bytes", bytes);
  }

  softLimit(): number | undefined {
    return readLimit(this.#file("memory.soft_limit_in_bytes"));
  }

  setLimit(bytes: number | undefined, { includingSwap = false }: MemoryLimitOptions = {}): void {
    const files = ["memory.limit_in_bytes"];
    if (includingSwap) {
      // The limit with swap must never be below the one without.
      const present = this.limit();
      const raises = present !== undefined && (bytes === undefined || bytes > present);
      files.splice(raises ? 0 : 1, 0, "memory.memsw.limit_in_bytes");
    }
    for (const file of files) this.#write(file, bytes);
  }

  limit(): number | undefined {
    return readLimit(this.#file("memory.limit_in_bytes"));
  }

  usage(): number {
    return readNumber(this.#file("memory.usage_in_bytes"));
  }

  peak(): number {
    return readNumber(this.#file("memory.max_usage_in_bytes"));
  }

  stat(): MemoryStat {
    const counters = this.counters();
    const usageWithSwap = this.#ifAny("memory.memsw.usage_in_bytes");
    const kernel = this.#ifAny("memory.kmem.usage_in_bytes");
    const kernelTcp = this.#ifAny("memory.kmem.tcp.usage_in_bytes");
    return {
      usage: this.usage(),
      ...(usageWithSwap !== undefined && { usageWithSwap }),
      ...(kernel !== undefined && { kernel }),
      ...(kernelTcp !== undefined && { kernelTcp }),
      file: counters.total_cache ?? 0,
      anon: counters.total_rss ?? 0,
      mappedFile: counters.total_mapped_file ?? 0,
      ...(counters.total_swap !== undefined && { swap: counters.total_swap }),
      unevictable: counters.total_unevictable ?? 0,
    };
  }

  counters(): Readonly<Record<string, number>> {
    return readCounters(this.#file("memory.stat"));
  }

  oomKills(): number {
    return oomKillsBelow(this.directory, readControl(this.#file("memory.oom_control")));
  }

  outOfMemory(signal: AbortSignal): Promise<OutOfMemory> {
    const { directory, services } = this;
    const control = this.#file("memory.oom_control");
    const eventControl = this.#file("cgroup.event_control");
    return firstOutOfMemory(
      {
        directory,
        services,
        subscribe: (handler) => services.helper.watch({ control, eventControl }, handler),
        lagMs: COUNT_LAG_MS,
        // The event is raised before the kill, and once more when the group is removed, whose files are gone by then.
        look: (told) => {
          const kills = this.oomKills();
          return told || kills > 0 ? { kills } : undefined;
        },
      },
      signal,
    );
  }

  countPressure(): MemoryPressureCount {
    return new PressureCountV1(this.directory, this.services.helper);
  }

  stall(): undefined {
    return undefined;
  }

  #write(name: string, bytes: number | undefined): void {
    writeControl(this.#file(name), bytes === undefined ? -1 : Math.floor(bytes));
  }

  #ifAny(name: string): number | undefined {
    const text = readControlIfAny(this.#file(name));
    return text === undefined ? undefined : parseLimit(text);
  }

  #file(name: string): string {
    return join(this.directory, name);
  }
}

/** v1 counts a kill for the very group of the process that was killed. */
function oomKillsBelow(directory: string, control: string): number {
  const own = /^oom_kill (\d+)$/m.exec(control)?.[1];
  if (own === undefined)
    throw new CgroupError("this kernel does not count its OOM kills: Linux 4.13 is needed", {
      file: join(directory, "memory.oom_control"),
      errno: "ENOTSUP",
    });
  return subdirectories(directory).reduce((sum, name) => {
    const below = join(directory, name);
    const text = readControlIfAny(join(below, "memory.oom_control"));
    return text === undefined ? sum : sum + oomKillsBelow(below, text);
  }, Number(own));
}
