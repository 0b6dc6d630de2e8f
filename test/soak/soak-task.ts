import type { PartialMessage, TaskInfo } from "../../sdk/index.js";
import { resourceList } from "../../sdk/index.js";

export const TAG_VARIABLE = "TEPUI_SOAK";
export const TASK_RESOURCES = resourceList("cpus:0.1;mem:32");

export interface SoakPlace {
  /** Directory in which each task notes that it ran. */
  readonly marks: string;
  /** Names the processes of all tasks. */
  readonly tag: string;
}

/** A task of a shell script, which notes first that it runs, in the file `MARK`. */
export function taskInfo(
  { id, script }: { readonly id: string; readonly script: string },
  { marks, tag }: SoakPlace,
): PartialMessage<TaskInfo> & { name: string; task_id: { value: string } } {
  return {
    name: id,
    task_id: { value: id },
    resources: TASK_RESOURCES,
    command: { value: `MARK=${marks}/${id}; echo ran >> $MARK; ${script}`, environment: tagged(tag) },
  };
}

export const tagged = (tag: string) => ({
  variables: [{ name: TAG_VARIABLE, value: tag, type: 1 as const }],
});
