import {
  type AddressInput,
  type DaemonAddress,
  parseAddress,
  parseAddresses,
  sameAddress,
} from "../client/address.js";
import { AddressError } from "../client/errors.js";

/** Redirects that may follow each other before the client takes the masters for confused and waits. */
const MAX_HOPS = 5;

/** Which master to try next: the leader that a master named, else one after the other. */
export class Masters {
  private readonly addresses: readonly DaemonAddress[];
  private at = 0;
  private named: DaemonAddress | undefined;
  private hops = 0;

  /** @throws AddressError */
  constructor(
    input: AddressInput,
    private readonly defaultPort: number,
  ) {
    this.addresses = parseAddresses(input, defaultPort);
  }

  get current(): DaemonAddress {
    return this.named ?? this.addresses[this.at]!;
  }

  /** The current master leads. */
  settled(): void {
    this.hops = 0;
  }

  /**
   * The current master says who leads. Returns true when the leader may be tried at once.
   */
  redirected(leader: string): boolean {
    let address: DaemonAddress;
    try {
      address = parseAddress(leader, this.defaultPort);
    } catch (error) {
      if (error instanceof AddressError) return this.failed();
      throw error;
    }
    const { current } = this;
    if (!/^[a-z]+:\/\//.test(leader)) address = { ...address, protocol: current.protocol };
    if (sameAddress(address, current)) return this.failed();
    this.named = address;
    return ++this.hops <= MAX_HOPS;
  }

  /** The current master cannot be used. Returns true when another one is left in this round, to be tried at once. */
  failed(): boolean {
    this.hops = 0;
    if (this.named !== undefined) {
      this.named = undefined;
      // The list goes on where it was: the master that named a dead leader is likely to name it again.
    }
    this.at = (this.at + 1) % this.addresses.length;
    return this.at !== 0;
  }
}
