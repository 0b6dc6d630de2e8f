import { existsSync, watch } from "node:fs";
import { join } from "node:path";
import {
  failure,
  parseLimit,
  readControlIfAny,
  readCounters,
  readLimit,
  readNumber,
  writeControl,
} from "../control-file.js";
import type { MemoryControl, MemoryLimitOptions, MemoryStall, MemoryStat, OutOfMemory } from "../controls.js";
import type { GroupServices } from "../group-services.js";
import type { Watch, WatchHandler } from "../helper/helper.js";
import { firstOutOfMemory } from "../out-of-memory.js";

export class MemoryV2 implements MemoryControl {
  constructor(
    readonly directory: string,
    readonly services: GroupServices,
  ) {}

  setSoftLimit(bytes: number | undefined): void {
    writeControl(this.#file("memory.low"), Math.floor(bytes ?? 0));
  }

  softLimit(): number | undefined {
    return readNumber(this.#file("memory.low")) || undefined;
  }

  setLimit(bytes: number | undefined, { includingSwap = false }: MemoryLimitOptions = {}): void {
    const swap = this.#file("memory.swap.max");
    // Without swap in the kernel there is nothing to forbid.
    if (includingSwap && existsSync(swap)) writeControl(swap, bytes === undefined ? "max" : 0);
    writeControl(this.#file("memory.max"), bytes === undefined ? "max" : Math.floor(bytes));
  }

  limit(): number | undefined {
    return readLimit(this.#file("memory.max"));
  }

  usage(): number {
    return readNumber(this.#file("memory.current"));
  }

  peak(): number | undefined {
    return this.#ifAny("memory.peak");
  }

  stat(): MemoryStat {
    const counters = this.counters();
    const swap = this.#ifAny("memory.swap.current");
    return {
      usage: this.usage(),
      ...(counters.kernel !== undefined && { kernel: counters.kernel }),
      ...(counters.sock !== undefined && { kernelTcp: counters.sock }),
      file: counters.file ?? 0,
      anon: counters.anon ?? 0,
      mappedFile: counters.file_mapped ?? 0,
      ...(swap !== undefined && { swap }),
      unevictable: counters.unevictable ?? 0,
    };
  }

  counters(): Readonly<Record<string, number>> {
    return readCounters(this.#file("memory.stat"));
  }

  oomKills(): number {
    return readCounters(this.#file("memory.events")).oom_kill ?? 0;
  }

  outOfMemory(signal: AbortSignal): Promise<OutOfMemory> {
    const { directory, services } = this;
    return firstOutOfMemory(
      {
        directory,
        services,
        subscribe: (handler) => watchFile(this.#file("memory.events"), handler),
        look: () => {
          const { oom = 0, oom_kill = 0 } = readCounters(this.#file("memory.events"));
          return oom > 0 || oom_kill > 0 ? { kills: oom_kill } : undefined;
        },
      },
      signal,
    );
  }

  countPressure(): undefined {
    return undefined;
  }

  stall(): MemoryStall | undefined {
    const text = readControlIfAny(this.#file("memory.pressure"));
    if (text === undefined) return undefined;
    // `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`, in microseconds.
    const seconds = (kind: string): number =>
      Number(new RegExp(`^${kind} .*total=(\\d+)`, "m").exec(text)?.[1] ?? 0) / 1e6;
    return { someSeconds: seconds("some"), fullSeconds: seconds("full") };
  }

  #ifAny(name: string): number | undefined {
    const text = readControlIfAny(this.#file(name));
    return text === undefined ? undefined : parseLimit(text);
  }

  #file(name: string): string {
    return join(this.directory, name);
  }
}

/** The kernel tells watchers of `*.events` files that they changed. */
function watchFile(file: string, handler: WatchHandler): Watch {
  try {
    const watcher = watch(file, { persistent: false }, () => handler.happened(1));
    watcher.on("error", (cause) => handler.lost(failure("cannot watch", { file, cause })));
    return { ready: Promise.resolve(), [Symbol.dispose]: () => watcher.close() };
  } catch (cause) {
    throw failure("cannot watch", { file, cause });
  }
}
