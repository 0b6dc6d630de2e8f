import { constants, PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Objects that live after a collection, beyond which a heap counts as large; bytes. */
const LARGE = 32 * 1024 * 1024;

/**
 * How a daemon's heap grows. Left to itself V8 spends memory to save collections: it lets the heap become several times as large as
 * what lives in it, and gives new objects 48 MB.
 *
 * An agent has few objects and much to wait for, and shares its host with the tasks: its heap stays close to what lives. A master
 * holds back while it is small, as on a laptop; one of a large cluster collects as seldom as V8 likes.
 */
export function sizeHeap(target: "master" | "agent"): void {
  if (target === "agent") apply("--semi-space-growth-factor=1", "--heap-growing-percent=40");
  else {
    apply("--semi-space-growth-factor=1", "--heap-growing-percent=50");
    whenLarge(() => apply("--semi-space-growth-factor=2", "--heap-growing-percent=0"));
  }
}

function apply(...flags: readonly string[]): void {
  const set = (): void => {
    for (const flag of flags) setFlagsFromString(flag);
  };
  set();
  // Flags are the process's, and a thread that starts sets them to what the command line says.
  process.on("worker", (worker) => worker.once("online", set));
}

/** Calls once when a full collection has left a large heap. */
function whenLarge(callback: () => void): void {
  const observer = new PerformanceObserver((list) => {
    const full = list.getEntries().some((entry) => "detail" in entry && isFull(entry.detail));
    if (!full || liveBytes() < LARGE) return;
    observer.disconnect();
    callback();
  });
  observer.observe({ entryTypes: ["gc"] });
}

const isFull = (detail: unknown): boolean =>
  typeof detail === "object" &&
  detail !== null &&
  "kind" in detail &&
  detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;

function liveBytes(): number {
  let bytes = 0;
  for (const { space_name: name, space_used_size: used } of getHeapSpaceStatistics()) {
    if (!name.startsWith("new_")) bytes += used;
  }
  return bytes;
}
