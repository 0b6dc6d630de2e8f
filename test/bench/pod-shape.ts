import {
  ExecutorInfo_Type,
  type Offer,
  type Offer_Operation,
  Offer_Operation_Type,
  type TaskInfo,
} from "../../proto/gen/mesos/v1/mesos.js";
import { TaskShape } from "./task-shape.js";

/** Pods of one task each: what the default executor of Mesos was made for, at its smallest. */
export class PodShape extends TaskShape {
  private count = 0;

  override capacity(offer: Offer): number {
    // As much again for the executor.
    return Math.floor(super.capacity(offer) / 2);
  }

  override operations(offer: Offer, tasks: TaskInfo[]): Offer_Operation[] {
    return tasks.map((task) => ({
      type: Offer_Operation_Type.LAUNCH_GROUP,
      launch_group: {
        executor: {
          executor_id: { value: `pod-${this.count++}` },
          type: ExecutorInfo_Type.DEFAULT,
          framework_id: offer.framework_id,
          resources: this.resources(offer),
        },
        task_group: { tasks: [task] },
      },
    }));
  }
}
