import { type Resource, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { resourceText } from "./print.js";
import { MAX_SCALAR, toMilli } from "./scalar.js";
import { validateDisk } from "./validate-disk.js";
import { validateReservations } from "./validate-reservations.js";

/**
 * Says what is wrong with one Resource message, in Mesos's words, or undefined for a good one. All three formats are
 * accepted. An amount of zero is good.
 *
 * Source: `Resources::validate` in src/common/resources.cpp. Stricter than Mesos in one point: numbers that a double
 * cannot hold exactly are refused.
 */
export function validateResource(message: Resource): string | undefined {
  if (message.name === undefined || message.name === "") return "Empty resource name";
  const problem = validateAmount(message);
  if (problem !== undefined) return problem;
  if (message.disk !== undefined) {
    const wrong = validateDisk(message.name, message.disk);
    if (wrong !== undefined) return wrong;
  }
  return validateReservations(message) ?? validateShared(message);
}

/** The first thing wrong in a list of Resource messages: `Resource 'cpus:-1' is invalid: ...`. */
export function validateResources(messages: readonly Resource[]): string | undefined {
  for (const message of messages) {
    const problem = validateResource(message);
    if (problem !== undefined) return `Resource '${resourceText(message)}' is invalid: ${problem}`;
  }
  return undefined;
}

function validateAmount(message: Resource): string | undefined {
  const { scalar, ranges, set } = message;
  switch (message.type) {
    case Value_Type.SCALAR:
      if (scalar === undefined || ranges !== undefined || set !== undefined) return "Invalid scalar resource";
      return validateScalar(scalar.value ?? 0);
    case Value_Type.RANGES:
      if (scalar !== undefined || ranges === undefined || set !== undefined) return "Invalid ranges resource";
      return validateRanges(ranges.range.map(({ begin = 0, end = 0 }) => [begin, end] as const));
    case Value_Type.SET:
      if (scalar !== undefined || ranges !== undefined || set === undefined) return "Invalid set resource";
      return new Set(set.item).size < set.item.length
        ? "Invalid set resource: duplicated elements"
        : undefined;
    case Value_Type.TEXT:
      return "Unsupported resource type";
    default:
      return "Invalid resource type";
  }
}

/** Zero is good, but not a value that rounds to zero: its sender believes to have asked for something. */
function validateScalar(value: number): string | undefined {
  if (value === 0) return undefined;
  if (!(toMilli(value) > 0) || value === Number.POSITIVE_INFINITY)
    return "Invalid scalar resource: value <= 0";
  return value > MAX_SCALAR ? "Invalid scalar resource: value too large" : undefined;
}

function validateRanges(ranges: (readonly [begin: number, end: number])[]): string | undefined {
  for (const [begin, end] of ranges) {
    if (begin > end) return "Invalid ranges resource: begin > end";
    if (!(begin >= 0 && Number.isSafeInteger(begin) && Number.isSafeInteger(end))) {
      return "Invalid ranges resource: number out of range";
    }
  }
  if (ranges.length > 1) {
    ranges.sort((left, right) => left[0] - right[0]);
    for (let i = 1; i < ranges.length; i++) {
      if (ranges[i]![0] <= ranges[i - 1]![1]) return "Invalid ranges resource: overlapping ranges";
    }
  }
  return undefined;
}

function validateShared(message: Resource): string | undefined {
  if (message.shared === undefined) return undefined;
  if (message.name !== "disk") return `Resource ${message.name} cannot be shared`;
  return message.disk?.persistence === undefined ? "Only persistent volumes can be shared" : undefined;
}
