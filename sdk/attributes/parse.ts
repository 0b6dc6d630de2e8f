import * as codecs from "../../proto/gen/json/mesos/v1/mesos.js";
import { type Attribute, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { JsonCodecError, JsonSyntaxError } from "../../proto/json/errors.js";
import { parseJson } from "../../proto/json/text.js";
import { failure, type Result, success } from "../resources/index.js";
import { parseValue, tokenize } from "../resources/value-text.js";
import { validateAttribute } from "./validate.js";

const BADLY_FORMATTED = "Some JSON attributes were not formatted properly";

/**
 * Reads attributes as `--attributes` gives them: `name:value;...` with scalars, ranges and texts, or a JSON list of
 * Attribute objects. Names may repeat. A text may hold colons, but loses its spaces, as in Mesos.
 */
export function parseAttributes(text: string): Result<Attribute[]> {
  if (text.trimStart().startsWith("[")) return attributesFromJson(text);
  const attributes: Attribute[] = [];
  for (const token of tokenize(text, ";\n")) {
    const attribute = parseAttribute(token);
    if (!attribute.ok) return attribute;
    attributes.push(attribute.value);
  }
  return success(attributes);
}

/** Attributes from a JSON list of Attribute objects in Mesos's form, parsed already or as text. */
export function attributesFromJson(json: unknown): Result<Attribute[]> {
  let item = 0;
  try {
    const values = typeof json === "string" ? parseJson(json) : json;
    if (!Array.isArray(values)) return failure(`${BADLY_FORMATTED}: Expecting a JSON array`);
    const attributes: Attribute[] = [];
    for (const value of values) {
      item++;
      const attribute = codecs.Attribute.json.fromValue(value);
      const problem = validateAttribute(attribute);
      if (problem !== undefined) return failure(problem);
      attributes.push(attribute);
    }
    return success(attributes);
  } catch (error) {
    if (!(error instanceof JsonCodecError || error instanceof JsonSyntaxError)) throw error;
    return failure(
      `${BADLY_FORMATTED}: ${error.message}${item === 0 ? "" : ` (in item ${item} of the list)`}`,
    );
  }
}

function parseAttribute(token: string): Result<Attribute> {
  const colon = token.indexOf(":");
  const name = token.slice(0, colon);
  const text = token.slice(colon + 1);
  if (colon <= 0 || text === "") return failure(`Invalid attribute key:value pair '${token}'`);
  const value = parseValue(text);
  if (!value.ok) return failure(`Failed to parse attribute ${name} text ${text} error ${value.error}`);
  if (value.value.type === Value_Type.SET) {
    return failure(`Bad type for attribute ${name} text ${text} type SET`);
  }
  const attribute: Attribute = { name, ...value.value };
  const problem = validateAttribute(attribute);
  return problem === undefined ? success(attribute) : failure(problem);
}
