import { parentPort, workerData } from "node:worker_threads";
import type { Mutation } from "./mutations.js";
import { simulate } from "./simulation.js";

/** The input of a thread: every `stride`th seed, starting with `first`. */
export interface WorkerTask {
  readonly first: number;
  readonly last: number;
  readonly stride: number;
  readonly steps: number;
  readonly mutation: Mutation | undefined;
  readonly wide: boolean;
}

const { first, last, stride, steps, mutation, wide } = workerData as WorkerTask;
for (let seed = first; seed <= last; seed += stride) {
  parentPort?.postMessage(await simulate({ seed, steps, mutation, wide }));
}
