import {
  TaskStatus_Source as Source,
  type TaskState,
  type TaskStatus,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { checkStatus } from "../checks/check-status.js";
import { uuidBytes } from "../tasks/status.js";
import type { DefaultExecutorHost } from "./default-executor-host.js";
import type { PodTask } from "./pod-task.js";

/** The status updates of a pod's executor, filled in like those of Mesos's default executor. */
export class PodStatuses {
  constructor(private readonly host: Pick<DefaultExecutorHost, "random" | "clock" | "executorId">) {}

  /** The fields that are new in each update. */
  origin(): Pick<TaskStatus, "uuid" | "timestamp"> {
    return { uuid: uuidBytes(this.host.random.uuid()), timestamp: this.host.clock.now() / 1000 };
  }

  of({ info, containerId }: PodTask, state: TaskState): TaskStatus {
    const check = checkStatus(info.check);
    return {
      task_id: info.task_id,
      executor_id: { value: this.host.executorId },
      state,
      source: Source.SOURCE_EXECUTOR,
      ...this.origin(),
      container_status: { container_id: containerId, network_infos: [] },
      ...(check !== undefined && { check_status: check }),
    };
  }
}
