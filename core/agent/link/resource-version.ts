import type { Random } from "../../../sdk/contracts/random.js";
import { uuidBytes } from "../tasks/status.js";

/**
 * Names the last report of the agent to a master, which gives the name back with each order. What a master orders by an older report may
 * come after that report has been corrected: the master may have counted as free, and given to others, what the order was to use.
 */
export class ResourceVersion {
  private bytes: Buffer;

  constructor(private readonly random: Random) {
    this.bytes = uuidBytes(random.uuid());
  }

  /** Of the last report. */
  get current(): Buffer {
    return this.bytes;
  }

  /** For a report that is about to be sent. */
  renew(): Buffer {
    this.bytes = uuidBytes(this.random.uuid());
    return this.bytes;
  }

  /** Whether an order goes by the last report. */
  is(version: Uint8Array): boolean {
    return this.bytes.equals(version);
  }
}
