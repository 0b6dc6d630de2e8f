import type { JsonTree } from "./json-tree.js";

export type Finding =
  /** A field that Mesos has and we do not. */
  | "missing"
  /** A field that we have and Mesos does not. */
  | "extra"
  /** The fields of an object come in another order. */
  | "order"
  /** Another JSON type; a double and an integer are two types. */
  | "type"
  /** The same type, but another value; for lists another length. */
  | "value";

export interface Mismatch {
  /** Names joined by dots; list items are `*`. */
  readonly path: string;
  readonly finding: Finding;
  readonly text: string;
}

/** Everything in which our answer differs from the captured one. */
export function compare(captured: JsonTree, ours: JsonTree, path = ""): Mismatch[] {
  if (captured.kind !== ours.kind) {
    return [{ path, finding: "type", text: `${captured.kind} in Mesos, ${ours.kind} here` }];
  }
  if (captured.kind === "object" && ours.kind === "object") {
    return compareObjects(captured.fields, ours.fields, path);
  }
  if (captured.kind === "array" && ours.kind === "array") {
    return compareLists(captured.items, ours.items, path);
  }
  const left = "value" in captured ? captured.value : null;
  const right = "value" in ours ? ours.value : null;
  return left === right ? [] : [{ path, finding: "value", text: `${left} in Mesos, ${right} here` }];
}

type Fields = ReadonlyMap<string, JsonTree>;

function compareObjects(captured: Fields, ours: Fields, path: string): Mismatch[] {
  const mismatches: Mismatch[] = [];
  const below = (name: string): string => (path === "" ? name : `${path}.${name}`);
  for (const [name, value] of captured) {
    const own = ours.get(name);
    if (own === undefined) mismatches.push({ path: below(name), finding: "missing", text: "only in Mesos" });
    else mismatches.push(...compare(value, own, below(name)));
  }
  for (const name of ours.keys()) {
    if (!captured.has(name)) mismatches.push({ path: below(name), finding: "extra", text: "only here" });
  }
  const order = (one: Fields, other: Fields): string =>
    [...one.keys()].filter((name) => other.has(name)).join();
  if (order(captured, ours) !== order(ours, captured)) {
    mismatches.push({ path, finding: "order", text: order(ours, captured) });
  }
  return mismatches;
}

function compareLists(captured: readonly JsonTree[], ours: readonly JsonTree[], path: string): Mismatch[] {
  const below = path === "" ? "*" : `${path}.*`;
  const mismatches: Mismatch[] = [];
  if (captured.length !== ours.length) {
    const text = `${captured.length} items in Mesos, ${ours.length} here`;
    mismatches.push({ path, finding: "value", text });
  }
  captured.forEach((item, index) => {
    const own = ours[index];
    if (own !== undefined) mismatches.push(...compare(item, own, below));
  });
  return mismatches;
}
