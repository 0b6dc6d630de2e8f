import type { Random } from "../../../sdk/contracts/random.js";
import { uuidBytes } from "../tasks/status.js";

/**
 * Identifies the agent's last report to a master; the master returns it with each launch and operation. A launch based on an older report
 * may arrive after the report was corrected: the master may have considered its resources free, and given them to others.
 */
export class ResourceVersion {
  private bytes: Buffer;

  constructor(private readonly random: Random) {
    this.bytes = uuidBytes(random.uuid());
  }

  /** The version of the last report. */
  get current(): Buffer {
    return this.bytes;
  }

  /** Makes a new version, for a report that is about to be sent. */
  renew(): Buffer {
    this.bytes = uuidBytes(this.random.uuid());
    return this.bytes;
  }

  /** Whether a message refers to the last report. */
  is(version: Uint8Array): boolean {
    return this.bytes.equals(version);
  }
}
