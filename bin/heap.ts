import { constants, PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** A heap with more live bytes than this after a collection counts as large. */
const LARGE = 32 * 1024 * 1024;

/** Approximate bytes for new objects in a small master. */
const NEW = 4 * 1024 * 1024;

/**
 * How a daemon's heap grows. By default V8 trades memory for fewer collections: it lets the heap grow to several times the size of the live
 * objects, and reserves 48 MB for new ones.
 *
 * An agent has few objects, mostly waits, and shares its host with the tasks: its heap stays close to the live size. A master saves memory
 * while it is small, as on a laptop. But V8's initial one megabyte for new objects would be too little: when its first thousand agents
 * register, a sixth of its time would go into collecting them. A master of a large cluster collects as rarely as V8 likes.
 */
export function sizeHeap(target: "master" | "agent"): void {
  const apply = flagSetter();
  if (target === "agent") apply("--semi-space-growth-factor=1", "--heap-growing-percent=40");
  else growWithNeed(apply);
}

type FlagSetter = (...flags: readonly string[]) => void;

function flagSetter(): FlagSetter {
  let current: readonly string[] = [];
  const set = (): void => {
    for (const flag of current) setFlagsFromString(flag);
  };
  // These flags belong to the process, and a thread that starts resets them to the command line's.
  process.on("worker", (worker) => worker.once("online", set));
  return (...flags) => {
    current = flags;
    set();
  };
}

/** Starts with a small master's settings, until a full collection leaves a large heap. */
function growWithNeed(apply: FlagSetter): void {
  let roomy = false;
  const small = (): void => apply(`--semi-space-growth-factor=${roomy ? 1 : 2}`, "--heap-growing-percent=50");
  const observer = new PerformanceObserver((list) => {
    const full = list.getEntries().some((entry) => "detail" in entry && isFull(entry.detail));
    if (full && liveBytes() >= LARGE) {
      observer.disconnect();
      apply("--semi-space-growth-factor=2", "--heap-growing-percent=0");
    } else if (roomy !== spaceForNew() >= NEW) {
      // Works in both directions: V8 gives memory back when it is idle.
      roomy = !roomy;
      small();
    }
  });
  small();
  observer.observe({ entryTypes: ["gc"] });
}

const isFull = (detail: unknown): boolean =>
  typeof detail === "object" &&
  detail !== null &&
  "kind" in detail &&
  detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;

/** At any time, one of its two halves is free. */
function spaceForNew(): number {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
  return (space?.space_size ?? 0) / 2;
}

function liveBytes(): number {
  let bytes = 0;
  for (const { space_name: name, space_used_size: used } of getHeapSpaceStatistics()) {
    if (!name.startsWith("new_")) bytes += used;
  }
  return bytes;
}
