import * as codecs from "../../proto/gen/json/mesos/v1/mesos.js";
import { Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { messageOf, type ResourceEntry } from "./entry.js";
import { addOldFields } from "./format.js";
import type { Quantities } from "./quantities.js";
import { addRanges, NO_RANGES, type Ranges, rangesText } from "./ranges.js";
import type { Resources } from "./resources.js";
import { scalarJson } from "./scalar.js";
import { addItems, type Items, itemsText, NO_ITEMS } from "./sets.js";

/**
 * The flat form in which `/state`, `/slaves` and their like show resources, as JSON text:
 * `{"disk":1024.0,"mem":512.0,"gpus":0.0,"cpus":2.0,"ports":"[31000-32000]"}`. The four known scalars are always there;
 * revocable resources have names of their own (`cpus_revocable`). Amounts of a name are summed over all kinds.
 */
export function resourcesJson(resources: Resources): string {
  let disk = 0;
  let mem = 0;
  let gpus = 0;
  let cpus = 0;
  const others = new Others();
  for (const entry of resources.entries) {
    const { kind, milli } = entry;
    if (kind.type !== Value_Type.SCALAR || kind.revocable) others.add(entry);
    else if (kind.name === "cpus") cpus += milli;
    else if (kind.name === "mem") mem += milli;
    else if (kind.name === "disk") disk += milli;
    else if (kind.name === "gpus") gpus += milli;
    else others.add(entry);
  }
  return (
    `{"disk":${scalarJson(disk)},"mem":${scalarJson(mem)},"gpus":${scalarJson(gpus)},"cpus":${scalarJson(cpus)}` +
    `${others.json()}}`
  );
}

/** The reserved resources in the flat form, by role: `{"ads":{"disk":...}}`. Only roles that `visible` admits. */
export function reservedResourcesJson(
  resources: Resources,
  visible: (role: string) => boolean = () => true,
): string {
  let json = "";
  for (const [role, reserved] of resources.reservations()) {
    if (visible(role)) json += `${json === "" ? "" : ","}${JSON.stringify(role)}:${resourcesJson(reserved)}`;
  }
  return `{${json}}`;
}

/** Quantities as `/roles` and `/quota` show them: sorted by name, nothing that is zero, `{"cpus":0.5,"mem":160.0}`. */
export function quantitiesJson(quantities: Quantities): string {
  const names = [...quantities.keys()].sort();
  const fields = names.map((name) => `${JSON.stringify(name)}:${scalarJson(quantities.get(name) ?? 0)}`);
  return `{${fields.join(",")}}`;
}

/**
 * The resources as a JSON list of Resource objects in the endpoint format, as the `*_resources_full` fields show them.
 * The plain unreserved scalars of nearly every agent are written here, all else by the JSON codec.
 */
export function resourceListJson(resources: Resources): string {
  let json = "";
  for (const entry of resources.entries) {
    json += `${json === "" ? "" : ","}${isPlainScalar(entry) ? plainScalarJson(entry) : codecJson(entry)}`;
  }
  return `[${json}]`;
}

/** The reserved resources as lists of Resource objects by role: `{"ads":[{...}]}`. Only roles that `visible` admits. */
export function reservedResourceListsJson(
  resources: Resources,
  visible: (role: string) => boolean = () => true,
): string {
  let json = "";
  for (const [role, reserved] of resources.reservations()) {
    if (visible(role))
      json += `${json === "" ? "" : ","}${JSON.stringify(role)}:${resourceListJson(reserved)}`;
  }
  return `{${json}}`;
}

function isPlainScalar({ kind }: ResourceEntry): boolean {
  return kind.plain && kind.type === Value_Type.SCALAR;
}

function plainScalarJson({ kind, milli }: ResourceEntry): string {
  const allocation =
    kind.allocationRole === undefined
      ? ""
      : `,"allocation_info":{"role":${JSON.stringify(kind.allocationRole)}}`;
  return `{"name":${JSON.stringify(kind.name)},"type":"SCALAR","scalar":{"value":${scalarJson(milli)}},"role":"*"${allocation}}`;
}

function codecJson(entry: ResourceEntry): string {
  const message = messageOf(entry);
  addOldFields(message, "endpoint");
  return codecs.Resource.json.write(message);
}

/** What is not one of the four scalars that are always shown: other scalars first, then ranges, then sets. */
class Others {
  #entries: ResourceEntry[] | undefined;

  add(entry: ResourceEntry): void {
    this.#entries ??= [];
    this.#entries.push(entry);
  }

  /** `,"name":value` for each; in the common case one range. */
  json(): string {
    if (this.#entries === undefined) return "";
    const [only, ...more] = this.#entries;
    if (more.length === 0 && only!.kind.type === Value_Type.RANGES)
      return field(shownName(only!), `"${rangesText(only!.ranges)}"`);
    const scalars = new Map<string, number>();
    const ranges = new Map<string, Ranges>();
    const sets = new Map<string, Items>();
    for (const entry of this.#entries) {
      const name = shownName(entry);
      if (entry.kind.type === Value_Type.SCALAR) scalars.set(name, (scalars.get(name) ?? 0) + entry.milli);
      else if (entry.kind.type === Value_Type.RANGES) {
        ranges.set(name, addRanges(ranges.get(name) ?? NO_RANGES, entry.ranges));
      } else sets.set(name, addItems(sets.get(name) ?? NO_ITEMS, entry.items));
    }
    let json = "";
    for (const [name, milli] of scalars) json += field(name, scalarJson(milli));
    for (const [name, list] of ranges) json += field(name, `"${rangesText(list)}"`);
    for (const [name, items] of sets) json += field(name, JSON.stringify(itemsText(items)));
    return json;
  }
}

function shownName({ kind }: ResourceEntry): string {
  return kind.revocable ? `${kind.name}_revocable` : kind.name;
}

function field(name: string, json: string): string {
  return `,${JSON.stringify(name)}:${json}`;
}
