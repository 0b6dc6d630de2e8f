import { type Attribute, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";

/** Says what is wrong with an attribute, or undefined: it needs a name and the value of its type; sets are not allowed. */
export function validateAttribute(attribute: Attribute): string | undefined {
  const { name, type, scalar, ranges, text } = attribute;
  if (name === undefined || name === "") return "Empty attribute name";
  switch (type) {
    case Value_Type.SCALAR:
      return scalar === undefined ? `Invalid scalar attribute '${name}'` : undefined;
    case Value_Type.TEXT:
      return text === undefined ? `Invalid text attribute '${name}'` : undefined;
    case Value_Type.RANGES:
      if (ranges === undefined) return `Invalid ranges attribute '${name}'`;
      return ranges.range.some(({ begin = 0, end = 0 }) => begin > end)
        ? `Invalid ranges attribute '${name}': begin > end`
        : undefined;
    case Value_Type.SET:
      return `Sets not supported for attribute '${name}'`;
    default:
      return `Invalid type of attribute '${name}'`;
  }
}
