import {
  Resource_ReservationInfo_Type as ReservationType,
  type Resource,
  Value_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import { resourcesFromJson } from "./json.js";
import { Resources } from "./resources.js";
import { failure, type Result, success } from "./result.js";
import { validateGpus } from "./rules.js";
import { validateResource } from "./validate.js";
import { parseValue, tokenize } from "./value-text.js";

/**
 * Reads resources as `--resources` gives them: `name(role):value;...`, or a JSON list of Resource objects. A resource
 * without a role gets the default role; every role but `*` is a static reservation.
 *
 * The list is as written: not validated, not added up, and with its zeros, because `cpus:0` and no mention of cpus mean
 * different things to an agent. Errors are in Mesos's words.
 */
export function parseResourceList(text: string, defaultRole = "*"): Result<Resource[]> {
  if (text.trimStart().startsWith("[")) return resourcesFromJson(text, defaultRole);
  const resources: Resource[] = [];
  for (const token of tokenize(text, ";")) {
    const resource = parseResource(token, defaultRole);
    if (!resource.ok) return resource;
    resources.push(resource.value);
  }
  return success(resources);
}

/**
 * Reads, validates and adds up resources as `--resources` gives them, by Mesos's rules for the command line: no
 * persistent volumes, no revocable resources, no dynamic reservations, one type for a name, whole gpus.
 */
export function parseResources(text: string, defaultRole = "*"): Result<Resources> {
  const list = parseResourceList(text, defaultRole);
  if (!list.ok) return list;
  for (const message of list.value) {
    const problem = validateResource(message);
    if (problem !== undefined) return failure(problem);
  }
  const resources = Resources.of(list.value);
  const problem = validateForCommandLine(resources) ?? validateGpus(resources);
  return problem === undefined ? success(resources) : failure(problem);
}

function parseResource(token: string, defaultRole: string): Result<Resource> {
  const [head = "", text = "", ...more] = tokenize(token, ":");
  if (text === "" || more.length > 0) {
    return failure(`Bad value for resources, missing or extra ':' in ${token}`);
  }
  const open = head.indexOf("(");
  const close = head.indexOf(")");
  if (open >= 0 && close < open) {
    return failure(`Bad value for resources, mismatched parentheses in ${token}`);
  }
  const name = (open < 0 ? head : head.slice(0, open)).trim();
  const role = open < 0 ? defaultRole : head.slice(open + 1, close).trim();

  const value = parseValue(text);
  if (!value.ok) return failure(`Failed to parse resource ${name} value ${text} error ${value.error}`);
  const { type, scalar, ranges, set } = value.value;
  const reservations = role === "*" ? [] : [{ type: ReservationType.STATIC, role }];
  switch (type) {
    case Value_Type.SCALAR:
      return success({ name, type, scalar, reservations });
    case Value_Type.RANGES:
      return success({ name, type, ranges, reservations });
    case Value_Type.SET:
      return success({ name, type, set, reservations });
    default:
      return failure(`Bad type for resource ${name} value ${text} type TEXT`);
  }
}

function validateForCommandLine(resources: Resources): string | undefined {
  const types = new Map<string, Value_Type>();
  for (const { kind } of resources) {
    if (kind.persistentVolume) return "Persistent volumes cannot be specified at the command line";
    if (kind.revocable) {
      return (
        "Revocable resources cannot be specified at the command line; do not include a 'revocable' key in the" +
        " resources JSON"
      );
    }
    if (kind.dynamicallyReserved) {
      return (
        "Dynamic reservations cannot be specified at the command line; do not include a reservation with DYNAMIC" +
        " type in the resources JSON"
      );
    }
    if ((types.get(kind.name) ?? kind.type) !== kind.type) {
      return `Resources with the same name ('${kind.name}') but different types are not allowed`;
    }
    types.set(kind.name, kind.type);
  }
  return undefined;
}
