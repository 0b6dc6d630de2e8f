import { type Attribute, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { doubleJson, scalarText, toMilli } from "../resources/index.js";
import { coalesce, rangesText } from "../resources/ranges.js";

/** The same attribute: name, type and value; ranges in any order and split. */
function sameAttribute(left: Attribute, right: Attribute): boolean {
  return (
    left.name === right.name &&
    left.type === right.type &&
    attributeValueText(left) === attributeValueText(right)
  );
}

/** The same attributes, in any order. */
export function sameAttributes(left: readonly Attribute[], right: readonly Attribute[]): boolean {
  return left.length === right.length && containsAttributes(left, right) && containsAttributes(right, left);
}

/** True when each of `wanted` is among `all`: the rule by which `reconfiguration_policy=additive` accepts a change. */
export function containsAttributes(all: readonly Attribute[], wanted: readonly Attribute[]): boolean {
  return wanted.every((one) => all.some((other) => sameAttribute(other, one)));
}

/** `rack=r1`, `racks=[1-3]`, as Mesos writes attributes in logs. */
export function attributeText(attribute: Attribute): string {
  return `${attribute.name ?? ""}=${attributeValueText(attribute)}`;
}

/** Attributes as `/state` and `/slaves` show them, as JSON text: `{"rack":"r1","level":2.0,"ports":"[1-3]"}`. */
export function attributesJson(attributes: readonly Attribute[]): string {
  // The last one of a name wins, as it would for whoever parses Mesos's repeated keys.
  const fields = new Map<string, string>();
  for (const attribute of attributes) {
    const json =
      attribute.type === Value_Type.SCALAR
        ? doubleJson(attribute.scalar?.value ?? 0)
        : JSON.stringify(attributeValueText(attribute));
    fields.set(attribute.name ?? "", json);
  }
  return `{${Array.from(fields, ([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
}

function attributeValueText({ type, scalar, ranges, text }: Attribute): string {
  switch (type) {
    case Value_Type.SCALAR:
      return scalarText(toMilli(scalar?.value ?? 0));
    case Value_Type.RANGES:
      return rangesText(coalesce(ranges?.range ?? []));
    default:
      return text?.value ?? "";
  }
}
