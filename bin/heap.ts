import { constants, PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Objects that live after a collection, beyond which a heap counts as large; bytes. */
const LARGE = 32 * 1024 * 1024;

/** For new objects in a small master, about; bytes. */
const NEW = 4 * 1024 * 1024;

/**
 * How a daemon's heap grows. Left to itself V8 spends memory to save collections: it lets the heap become several times as large as
 * what lives in it, and gives new objects 48 MB.
 *
 * An agent has few objects and much to wait for, and shares its host with the tasks: its heap stays close to what lives. A master
 * holds back while it is small, as on a laptop, but not to the one megabyte for new objects that V8 begins with: collecting these would
 * be a sixth of its work when its first thousand agents register. One of a large cluster collects as seldom as V8 likes.
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
  // Flags are the process's, and a thread that starts sets them to what the command line says.
  process.on("worker", (worker) => worker.once("online", set));
  return (...flags) => {
    current = flags;
    set();
  };
}

/** As a small master's, until a full collection has left a large heap. */
function growWithNeed(apply: FlagSetter): void {
  let roomy = false;
  const small = (): void => apply(`--semi-space-growth-factor=${roomy ? 1 : 2}`, "--heap-growing-percent=50");
  const observer = new PerformanceObserver((list) => {
    const full = list.getEntries().some((entry) => "detail" in entry && isFull(entry.detail));
    if (full && liveBytes() >= LARGE) {
      observer.disconnect();
      apply("--semi-space-growth-factor=2", "--heap-growing-percent=0");
    } else if (roomy !== spaceForNew() >= NEW) {
      // Both ways: V8 takes space back when there is nothing to do.
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

/** Of its two halves one is free at any time. */
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
