import type { Resource } from "../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../errors/tepui-error.js";
import { parseResources } from "../resources/index.js";

/**
 * Resources for a TaskInfo from Mesos's text form, `cpus:0.5;mem:64`.
 *
 * @throws TepuiError TEPUI_VALUE_INVALID
 */
export function resourceList(text: string): Resource[] {
  const resources = parseResources(text);
  if (!resources.ok)
    throw new TepuiError("TEPUI_VALUE_INVALID", { detail: `resources '${text}': ${resources.error}` });
  return resources.value.toMessages();
}
