import type { Value_Range } from "../../proto/gen/mesos/v1/mesos.js";

/**
 * Ranges of non-negative integers as one flat list: begin, end, begin, end, both ends inclusive, sorted, with at least
 * one number missing between neighbours. Flat because ports are split and joined with every task.
 */
export type Ranges = readonly number[];

export const NO_RANGES: Ranges = [];

/** Sorts and joins overlapping and adjacent ranges. Every range must have begin <= end. */
export function coalesce(list: readonly Value_Range[]): Ranges {
  if (list.length === 1) return [list[0]!.begin ?? 0, list[0]!.end ?? 0];
  const sorted = list
    .map((range) => ({ begin: range.begin ?? 0, end: range.end ?? 0 }))
    .sort((left, right) => left.begin - right.begin);
  const joined: number[] = [];
  for (const { begin, end } of sorted) append(joined, begin, end);
  return joined;
}

/** Appends a range that does not begin before the last one appended. */
function append(ranges: number[], begin: number, end: number): void {
  const last = ranges.length - 1;
  if (last >= 0 && begin <= ranges[last]! + 1) {
    if (end > ranges[last]!) ranges[last] = end;
  } else {
    ranges.push(begin, end);
  }
}

export function addRanges(left: Ranges, right: Ranges): Ranges {
  if (left.length === 0) return right;
  if (right.length === 0) return left;
  if (right.length === 2) return addOne(left, right[0]!, right[1]!);
  const sum: number[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length && r < right.length) {
    if (left[l]! <= right[r]!) {
      append(sum, left[l]!, left[l + 1]!);
      l += 2;
    } else {
      append(sum, right[r]!, right[r + 1]!);
      r += 2;
    }
  }
  for (; l < left.length; l += 2) append(sum, left[l]!, left[l + 1]!);
  for (; r < right.length; r += 2) append(sum, right[r]!, right[r + 1]!);
  return sum;
}

/** What is in `left` and not in `right`; `right` need not lie within `left`. */
export function subtractRanges(left: Ranges, right: Ranges): Ranges {
  if (left.length === 0 || right.length === 0) return left;
  if (right.length === 2) return subtractOne(left, right[0]!, right[1]!);
  const rest: number[] = [];
  let r = 0;
  for (let l = 0; l < left.length; l += 2) {
    let begin = left[l]!;
    const end = left[l + 1]!;
    while (r < right.length && right[r + 1]! < begin) r += 2;
    // A right range can reach into the next left range, so it is passed over only once it ends before that range begins.
    for (let s = r; s < right.length && right[s]! <= end; s += 2) {
      if (right[s]! > begin) rest.push(begin, right[s]! - 1);
      begin = right[s + 1]! + 1;
    }
    if (begin <= end) rest.push(begin, end);
  }
  return rest;
}

/** True when every number of `right` is in `left`. */
export function containsRanges(left: Ranges, right: Ranges): boolean {
  if (right.length === 0) return true;
  let l = firstEndingAt(left, right[0]!);
  for (let r = 0; r < right.length; r += 2) {
    while (l < left.length && left[l + 1]! < right[r]!) l += 2;
    if (l >= left.length || left[l]! > right[r]! || left[l + 1]! < right[r + 1]!) return false;
  }
  return true;
}

/**
 * Tasks mostly take and return one range of ports, of agents whose ports may be in hundreds of pieces: these two touch
 * only the pieces that change and copy the rest as a block.
 */
function addOne(left: Ranges, begin: number, end: number): Ranges {
  const first = firstEndingAt(left, begin - 1);
  const after = firstBeginningAfter(left, end + 1, first);
  const joined = left.slice();
  if (after === first) joined.splice(first, 0, begin, end);
  else joined.splice(first, after - first, Math.min(begin, left[first]!), Math.max(end, left[after - 1]!));
  return joined;
}

function subtractOne(left: Ranges, begin: number, end: number): Ranges {
  const first = firstEndingAt(left, begin);
  const after = firstBeginningAfter(left, end, first);
  if (after === first) return left;
  const pieces: number[] = [];
  if (left[first]! < begin) pieces.push(left[first]!, begin - 1);
  if (left[after - 1]! > end) pieces.push(end + 1, left[after - 1]!);
  const rest = left.slice();
  rest.splice(first, after - first, ...pieces);
  return rest;
}

/** The index of the first range that ends at `n` or later. */
function firstEndingAt(ranges: Ranges, n: number): number {
  let low = 0;
  let high = ranges.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[2 * middle + 1]! < n) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}

/** The index of the first range, from index `from`, that begins after `n`. */
function firstBeginningAfter(ranges: Ranges, n: number, from: number): number {
  let index = from;
  while (index < ranges.length && ranges[index]! <= n) index += 2;
  return index;
}

export function equalRanges(left: Ranges, right: Ranges): boolean {
  if (left === right) return true;
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}

/** How many numbers the ranges hold. */
export function countRanges(ranges: Ranges): number {
  let count = 0;
  for (let i = 0; i < ranges.length; i += 2) count += ranges[i + 1]! - ranges[i]! + 1;
  return count;
}

export function rangeMessages(ranges: Ranges): Value_Range[] {
  const messages: Value_Range[] = [];
  for (let i = 0; i < ranges.length; i += 2) messages.push({ begin: ranges[i], end: ranges[i + 1] });
  return messages;
}

/** `[31000-31005, 31010-32000]`, as Mesos writes ranges. */
export function rangesText(ranges: Ranges): string {
  let text = "[";
  for (let i = 0; i < ranges.length; i += 2) {
    text += `${i === 0 ? "" : ", "}${ranges[i]}-${ranges[i + 1]}`;
  }
  return `${text}]`;
}
