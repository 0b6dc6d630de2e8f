import { extensionPoint } from "../plugin/extension-point.js";
import type { MeasureUsage } from "./resource-estimator.js";

/** The only thing done about tasks that disturb others. */
export interface QoSCorrection {
  readonly kind: "kill";
  readonly frameworkId: string;
  readonly executorId: string;
  /** Given: not a later executor of the same id. */
  readonly containerId?: string | undefined;
}

/** Watches over what runs on lent resources, and takes them back where those who own them suffer. */
export interface QoSController {
  /**
   * What to do now. A killed executor's container is destroyed, and its tasks end as TASK_GONE (or TASK_LOST, for frameworks that are not
   * PARTITION_AWARE) with the reason REASON_CONTAINER_PREEMPTED. Corrections of what is not there, or ends already, are ignored, so the
   * same may be named again. Asked again `--qos_correction_interval_min` after each answer, and not more than ten times a second; one
   * question at a time. It may take as long as it likes to answer, for ever included. When it rejects, nothing is done.
   */
  corrections(measure: MeasureUsage): Promise<readonly QoSCorrection[]>;
}

export const QoSController = extensionPoint<QoSController, "one">("tepui.qos-controller", {
  version: "1.0",
  cardinality: "one",
});
