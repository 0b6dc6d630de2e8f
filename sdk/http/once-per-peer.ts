/** More peers than this are not told apart: the memory starts anew. */
const MAX_PEERS = 4096;

/** Keeps a stranger that repeats itself from filling the log. */
export class OncePerPeer {
  private readonly seen = new Set<string>();

  /** True the first time that this peer does `what`. */
  first(peer: string, what: string): boolean {
    const key = `${peer} ${what}`;
    if (this.seen.has(key)) return false;
    if (this.seen.size >= MAX_PEERS) this.seen.clear();
    this.seen.add(key);
    return true;
  }
}
