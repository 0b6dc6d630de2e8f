import { type Value, type Value_Range, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { coalesce, rangeMessages } from "./ranges.js";
import { failure, type Result, success } from "./result.js";

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const HEXADECIMAL = /^[+-]?0x[0-9a-f]+$/i;

/** The smallest positive double that keeps its full precision. */
const MIN_NORMAL = 2 ** -1022;

/**
 * Reads one value of Mesos's text form: `8` is a scalar, `[1-5,7-9]` ranges, `{a,b}` a set, anything else a text. Spaces
 * have no meaning anywhere. A negative or infinite number is a text. Ranges come out sorted and joined.
 *
 * Source: docs/attributes-resources.md and src/common/values.cpp of Mesos.
 */
export function parseValue(text: string): Result<Value> {
  const compact = text.replaceAll(" ", "");
  if (compact === "") return failure("Expecting non-empty string");
  if (!["{}", "[]", "()"].every((pair) => bracketsMatch(compact, pair)))
    return failure("Mismatched brackets");

  const bracket = compact.indexOf("[");
  if (bracket === 0) return parseRanges(compact);
  if (bracket > 0) return failure("Unexpected '[' found");
  const brace = compact.indexOf("{");
  if (brace === 0) {
    return success({ type: Value_Type.SET, set: { item: tokenize(compact, "{},\n") } });
  }
  return brace > 0 ? failure("Unexpected '{' found") : parseScalarOrText(compact);
}

/** The non-empty parts between any of the separator characters. */
export function tokenize(text: string, separators: string): string[] {
  const tokens: string[] = [];
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    if (i < text.length && !separators.includes(text[i]!)) continue;
    if (i > start) tokens.push(text.slice(start, i));
    start = i + 1;
  }
  return tokens;
}

function parseRanges(text: string): Result<Value> {
  const tokens = tokenize(text, "[]-,\n");
  if (tokens.length % 2 !== 0) return failure('Expecting one or more "ranges"');
  const range: Value_Range[] = [];
  for (let i = 0; i < tokens.length; i += 2) {
    const begin = parseInteger(tokens[i]!);
    const end = parseInteger(tokens[i + 1]!);
    if (begin === undefined || end === undefined) {
      return failure(`Expecting non-negative integers in '${tokens[i]}'`);
    }
    range.push({ begin, end });
  }
  // Ranges that run backwards stay as they are, for the validation to name them.
  const ordered = range.every(({ begin = 0, end = 0 }) => begin <= end);
  return success({
    type: Value_Type.RANGES,
    ranges: { range: ordered ? rangeMessages(coalesce(range)) : range },
  });
}

function parseInteger(text: string): number | undefined {
  const value = /^\+?\d+$/.test(text) || HEXADECIMAL.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function parseScalarOrText(text: string): Result<Value> {
  const value = parseNumber(text);
  if (value !== undefined && value !== 0 && Math.abs(value) < MIN_NORMAL) {
    return failure("Subnormal values not supported");
  }
  if (value === undefined || value < 0) return success({ type: Value_Type.TEXT, text: { value: text } });
  return success({ type: Value_Type.SCALAR, scalar: { value } });
}

/** A finite number, or undefined. `Number` knows no sign before `0x`. */
function parseNumber(text: string): number | undefined {
  let value = Number.NaN;
  if (DECIMAL.test(text)) value = Number(text);
  else if (HEXADECIMAL.test(text))
    value = Number(text.replace(/^[+-]/, "")) * (text.startsWith("-") ? -1 : 1);
  return Number.isFinite(value) ? value : undefined;
}

function bracketsMatch(text: string, pair: string): boolean {
  let open = 0;
  for (const character of text) {
    if (character === pair[0]) open++;
    else if (character === pair[1] && --open < 0) return false;
  }
  return open === 0;
}
