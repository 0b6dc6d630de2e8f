import type { Registry as RegistryState } from "../../../proto/gen/mesos/internal/registry.js";
import type { MasterInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Tenure } from "../../../sdk/contracts/election.js";
import type { Registry, RegistryOperation } from "../../../sdk/contracts/registry.js";
import { TepuiError } from "../../../sdk/errors/index.js";

export interface Term {
  /** Whether it is this master's present one. */
  readonly isCurrent: () => boolean;
  /** A change could not be made durable. */
  readonly failed: (error: unknown) => void;
}

/**
 * Tells when a change could not be made durable. What the store holds is then not known, so that whoever leads by it has to begin
 * anew; the change itself still rejects. What is left of a term that is over changes nothing: the store may serve the next one already.
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
