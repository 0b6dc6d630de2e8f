import { type Resource, Value_Type } from "../../../../proto/gen/mesos/v1/mesos.js";
import { parseResourceList, Resources } from "../../../../sdk/resources/index.js";

function parsed(text: string): readonly Resource[] {
  const list = parseResourceList(text);
  if (!list.ok) throw new Error(list.error);
  return list.value;
}

/** `cpus:1;mem:32` as in JSON, where enums are names. */
export const resourceJson = (text: string) =>
  parsed(text).map((one) => ({ ...one, type: Value_Type[one.type ?? 0] }));

export const resourcesOf = (text: string): Resources => Resources.of(parsed(text));
