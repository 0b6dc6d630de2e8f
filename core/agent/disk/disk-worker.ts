import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../../../sdk/errors/index.js";
import type { DiskOperation } from "./operations.js";
import { DiskPerformer } from "./perform.js";

export interface DiskWorkerData {
  /** See DiskPerformer. */
  readonly anchor: string | undefined;
}

/** The thread that accesses the disk. It receives batches of groups and answers with what failed in each. */
const performer = new DiskPerformer((workerData as DiskWorkerData).anchor);

parentPort?.on("message", (groups: readonly (readonly DiskOperation[])[]) => {
  parentPort?.postMessage(groups.map(performGroup));
});

function performGroup(operations: readonly DiskOperation[]): string | undefined {
  for (const operation of operations) {
    try {
      performer.perform(operation);
    } catch (error) {
      return `cannot ${operation.op} '${operation.path}': ${messageOf(error)}`;
    }
  }
  return undefined;
}
