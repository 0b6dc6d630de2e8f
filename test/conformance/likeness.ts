import { userInfo } from "node:os";
import type { JsonTree } from "./json-tree.js";

/** Where a daemon of this run is, for the places that stand in the captured answers. */
export interface Ports {
  readonly master: number;
  readonly agent: number;
}

export const CAPTURED_PORTS: Ports = { master: 15050, agent: 15051 };

/** Figures that two runs never share; which fields there are and of what type is held all the same. */
const MEASURED = new Set(["cpus_system_time_secs", "cpus_user_time_secs", "mem_rss_bytes", "executor_pid"]);
/** Seconds since 1970 look like this; no other number in the answers does. */
const isTime = (value: number): boolean => value > 1e9 && value < 1e10;

const USER = `"user":${JSON.stringify(userInfo().username)}`;

/** Takes out of an answer's text what belongs to one run: ids, addresses, places, and who ran it. */
export function likenessOfText(text: string, ports: Ports): string {
  return text
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "uuid")
    .replaceAll(new RegExp(`\\b${ports.master}\\b`, "g"), "1")
    .replaceAll(new RegExp(`\\b${ports.agent}\\b`, "g"), "2")
    .replaceAll(/"uuid": ?"[^"]{24}"/g, '"uuid":"uuid"')
    .replaceAll(USER, '"user":"root"')
    .replaceAll(/"directory":"[^"]*?\/slaves\//g, '"directory":"/slaves/');
}

/** Takes out what was measured, and puts lists whose order means nothing (Mesos's is that of a hash table) into one order. */
export function likeness(tree: JsonTree, name = ""): JsonTree {
  switch (tree.kind) {
    case "object":
      return {
        kind: "object",
        fields: new Map([...tree.fields].map(([field, value]) => [field, likeness(value, field)])),
      };
    case "array": {
      const items = tree.items.map((item) => likeness(item));
      return { kind: "array", items: items.every(identity) ? items.sort(byIdentity) : items };
    }
    case "double":
    case "integer":
      return MEASURED.has(name) || isTime(tree.value) ? { kind: tree.kind, value: 0 } : tree;
    default:
      return tree;
  }
}

/** What distinguishes an item among its kind: its id, or that of its executor. */
function identity(tree: JsonTree): string | undefined {
  if (tree.kind !== "object") return undefined;
  const value = tree.fields.get("id") ?? tree.fields.get("executor_id");
  return value?.kind === "string" ? value.value : undefined;
}

const byIdentity = (one: JsonTree, other: JsonTree): number =>
  (identity(one) ?? "") < (identity(other) ?? "") ? -1 : 1;
