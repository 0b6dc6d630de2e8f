import type { ResourceEntry } from "./entry.js";

/**
 * Lists of entries as one bundle: no empty entry, and no two that could be one. Bundles are short (an agent has some
 * five kinds), so these walk the lists.
 */

/** Adds an entry to a list that nobody else sees yet. */
export function appendEntry(entries: ResourceEntry[], added: ResourceEntry): void {
  if (added.isEmpty) return;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    if (entry.joins(added)) {
      entries[i] = entry.plus(added);
      return;
    }
  }
  entries.push(added);
}

export function subtractEntries(
  from: readonly ResourceEntry[],
  taken: readonly ResourceEntry[],
): readonly ResourceEntry[] {
  let rest: ResourceEntry[] | undefined;
  for (const one of taken) {
    const left: readonly ResourceEntry[] = rest ?? from;
    for (let i = 0; i < left.length; i++) {
      const entry = left[i]!;
      if (!entry.yields(one)) continue;
      rest ??= from.slice();
      // An indivisible resource is taken as it is found: it yields only to its equal.
      const remainder = entry.kind.indivisible && !entry.kind.shared ? undefined : entry.minus(one);
      if (remainder === undefined || remainder.isEmpty) rest.splice(i, 1);
      else rest[i] = remainder;
      break;
    }
  }
  return rest ?? from;
}

export function containsEntries(all: readonly ResourceEntry[], wanted: readonly ResourceEntry[]): boolean {
  let used: number[] | undefined;
  next: for (const one of wanted) {
    for (let i = 0; i < all.length; i++) {
      if (!all[i]!.contains(one)) continue;
      // Only indivisible entries can occur twice, and each can serve only once.
      if (one.kind.indivisible) {
        if (used?.includes(i)) continue;
        used ??= [];
        used.push(i);
      }
      continue next;
    }
    return false;
  }
  return true;
}

export function equalEntries(left: readonly ResourceEntry[], right: readonly ResourceEntry[]): boolean {
  if (left.length !== right.length) return false;
  const unmatched = right.slice();
  for (const entry of left) {
    const match = unmatched.findIndex((other) => entry.copies === other.copies && entry.sameAs(other));
    if (match < 0) return false;
    unmatched.splice(match, 1);
  }
  return true;
}
