import type { Registry as RegistryState } from "../../../proto/gen/mesos/internal/registry.js";
import type { MasterInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Tenure } from "../../../sdk/contracts/election.js";
import type { Registry, RegistryOperation } from "../../../sdk/contracts/registry.js";
import { TepuiError } from "../../../sdk/errors/index.js";

export interface Term {
  /** Whether the registry belongs to this master's current term. */
  readonly isCurrent: () => boolean;
  /** A change could not be made durable. */
  readonly failed: (error: unknown) => void;
}

/**
 * Reports a change that could not be made durable. The stored content is then unknown, so whoever leads by it has to start over; the change
 * itself still rejects. Calls left over from an earlier term change nothing: the registry may already serve the next one.
 */
export class GuardedRegistry implements Registry {
  constructor(
    private readonly inner: Registry,
    private readonly tenure: Tenure,
    private readonly term: Term,
  ) {}

  recover(master: MasterInfo): Promise<RegistryState> {
    return this.inner.recover(master, this.tenure);
  }

  async apply(operation: RegistryOperation): Promise<boolean> {
    const { isCurrent, failed } = this.term;
    if (!isCurrent()) throw new TepuiError("TEPUI_REGISTRY_CLOSED");
    try {
      return await this.inner.apply(operation);
    } catch (error) {
      failed(error);
      throw error;
    }
  }
}
