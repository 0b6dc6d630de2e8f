import type { PendingOperation } from "../../sdk/contracts/containerizer.js";

/** What isolators and the launcher were asked for and have not done yet: where a container that is stuck is stuck. */
export class PendingOperations {
  private readonly pending = new Set<PendingOperation>();

  async track<T>(operation: PendingOperation, work: Promise<T>): Promise<T> {
    this.pending.add(operation);
    try {
      return await work;
    } finally {
      this.pending.delete(operation);
    }
  }

  /** The oldest first. */
  list(): readonly PendingOperation[] {
    return [...this.pending];
  }
}
