import * as codecs from "../../proto/gen/json/mesos/v1/mesos.js";
import type { Resource } from "../../proto/gen/mesos/v1/mesos.js";
import { JsonCodecError, JsonSyntaxError } from "../../proto/json/errors.js";
import { parseJson } from "../../proto/json/text.js";
import { failure, type Result, success } from "./result.js";

const BADLY_FORMATTED = "Some JSON resources were not formatted properly";

/**
 * Resources from a JSON list of Resource objects in Mesos's form, parsed already or as text. Those without a role get the
 * default role. The list is as written: neither validated nor added up.
 */
export function resourcesFromJson(json: unknown, defaultRole = "*"): Result<Resource[]> {
  let item = 0;
  try {
    const values = typeof json === "string" ? parseJson(json) : json;
    if (!Array.isArray(values)) return failure(`${BADLY_FORMATTED}: Expecting a JSON array`);
    const messages: Resource[] = [];
    for (const value of values) {
      item++;
      const message = codecs.Resource.json.fromValue(value);
      if (message.reservations.length === 0) message.role ??= defaultRole;
      messages.push(message);
    }
    return success(messages);
  } catch (error) {
    if (!(error instanceof JsonCodecError || error instanceof JsonSyntaxError)) throw error;
    return failure(
      `${BADLY_FORMATTED}: ${error.message}${item === 0 ? "" : ` (in item ${item} of the list)`}`,
    );
  }
}
