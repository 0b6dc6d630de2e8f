import type { ExecutorInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ExecutorRecord } from "../../../sdk/contracts/master-view.js";
import { Resources } from "../../../sdk/resources/index.js";

/** An executor that a scheduler asked for, on one agent. The master does not know the executors that agents create for command tasks. */
export class ExecutorEntry implements ExecutorRecord {
  readonly id: string;
  readonly frameworkId: string;

  /**
   * @param info with its framework id, and with validated and allocated resources
   * @param resources the same resources, if they have been read already
   */
  constructor(
    readonly agentId: string,
    readonly info: ExecutorInfo,
    readonly resources: Resources = Resources.of(info.resources),
  ) {
    this.id = info.executor_id?.value ?? "";
    this.frameworkId = info.framework_id?.value ?? "";
  }
}
