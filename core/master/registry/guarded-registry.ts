import type { Registry as RegistryState } from "../../../proto/gen/mesos/internal/registry.js";
import type { MasterInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Tenure } from "../../../sdk/contracts/election.js";
import type { Registry, RegistryOperation } from "../../../sdk/contracts/registry.js";

/**
 * Tells when a change could not be made durable. What the store holds is then not known, so that whoever leads by it has to begin
 * anew; the change itself still rejects.
 */
export class GuardedRegistry implements Registry {
  constructor(
    private readonly inner: Registry,
    private readonly tenure: Tenure,
    private readonly failed: (error: unknown) => void,
  ) {}

  recover(master: MasterInfo): Promise<RegistryState> {
    return this.inner.recover(master, this.tenure);
  }

  async apply(operation: RegistryOperation): Promise<boolean> {
    try {
      return await this.inner.apply(operation);
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }
}
