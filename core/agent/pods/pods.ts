import { type Event, Event_Type } from "../../../proto/gen/mesos/v1/executor/executor.js";
import { FrameworkInfo_Capability_Type as Capability } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import type { Random } from "../../../sdk/contracts/random.js";
import type { Checkpoints } from "../checkpoint.js";
import type { CommandsInContainers } from "../checks/commands-in-containers.js";
import type { TaskChecks } from "../checks/task-checks.js";
import type { ContainerCalls } from "../containers/container-calls.js";
import type { Disk } from "../disk/operations.js";
import type { Executor } from "../executors/executor.js";
import type { ExecutorCalls } from "../executors/executor-calls.js";
import type { Executors } from "../executors/executors.js";
import type { Framework } from "../framework.js";
import type { AgentPaths } from "../paths.js";
import type { KillRecord } from "../tasks/kill-record.js";
import { DefaultExecutor } from "./default-executor.js";
import type { DefaultExecutorHost, EarlierTask } from "./default-executor-host.js";

export interface PodsOptions {
  readonly containers: ContainerCalls;
  readonly checks: TaskChecks;
  readonly commands: CommandsInContainers;
  readonly calls: ExecutorCalls;
  readonly executors: Executors;
  readonly paths: AgentPaths;
  readonly checkpoints: Checkpoints;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Gives each pod an executor that uses the executor API like any other, but inside the agent. */
export class Pods {
  constructor(private readonly options: PodsOptions) {}

  /**
   * The pod's own container runs.
   *
   * @param earlier what an earlier run of the agent launched in it, group by group
   */
  start(framework: Framework, executor: Executor, earlier: readonly (readonly EarlierTask[])[] = []): void {
    const pod = new DefaultExecutor(this.host(framework, executor));
    // Even if nothing was reported about them yet: the pod knows what it has to launch.
    if (earlier.length > 0) executor.everSentTask = true;
    const unacknowledged_tasks = earlier.flat().map(({ info }) => info);
    this.options.calls.attach({
      framework,
      executor,
      connection: {
        send: (event) => {
          obey(pod, event);
          return true;
        },
        close: () => pod.stop(),
      },
      subscribe: { unacknowledged_tasks, unacknowledged_updates: [] },
    });
    if (earlier.length === 0) return;
    for (const group of earlier) pod.resumeGroup(group);
    pod.resumed();
  }

  private host(framework: Framework, executor: Executor): DefaultExecutorHost {
    const { containers, checks, commands, calls, executors, clock, random, logger } = this.options;
    const [network] = executor.containerStatus?.network_infos ?? [];
    return {
      clock,
      random,
      logger,
      check: (task, listener) => checks.start(task, commands.target(executor, task.containerId), listener),
      executorId: executor.id,
      containerId: executor.containerId,
      ip: network?.ip_addresses[0]?.ip_address,
      reportsKilling: framework.can(Capability.TASK_KILLING_STATE),
      launch: (launch) => containers.launch(launch),
      knows: (containerId) => containers.has(containerId),
      wait: (containerId) => containers.wait(containerId),
      kill: (containerId, signal) => containers.kill(containerId, signal),
      noteKill: (taskId, kill) => this.noteKill(executor, taskId, kill),
      update: (status) => calls.update(executor, status),
      sandboxMade: (taskId, { value }) => this.link(executor, taskId, value!),
      exit: () => {
        // A group may be on its way to the pod.
        if (executor.queued.size > 0) return false;
        executors.leave(executor);
        return true;
      },
    };
  }

  private async noteKill(executor: Executor, taskId: string, kill: KillRecord): Promise<void> {
    if (!executor.checkpoint) return;
    const { disk, checkpoints, logger } = this.options;
    await disk
      .apply(checkpoints.kill(executor, taskId, kill))
      .catch((error: unknown) =>
        logger.error({ err: error, executor: executor.id }, "a kill could not be written down"),
      );
  }

  /** Where people and the files endpoint look for a task's output. */
  private link({ directory, ids, user }: Executor, taskId: string, containerId: string): void {
    const { disk, paths, logger } = this.options;
    const place = { directory, taskId, containerId };
    disk
      .apply([
        { op: "mkdir", path: paths.podTasks(directory), owner: user },
        { op: "symlink", path: paths.podTask(place), target: paths.podContainer(place) },
      ])
      .catch((error: unknown) =>
        logger.warn({ err: error, executor: ids.executorId, task: taskId }, "a sandbox could not be linked"),
      );
  }
}

function obey(pod: DefaultExecutor, event: Event): void {
  switch (event.type) {
    case Event_Type.LAUNCH_GROUP:
      pod.launchGroup(event.launch_group!.task_group!);
      break;
    case Event_Type.KILL:
      pod.kill(event.kill!.task_id!.value!, event.kill!.kill_policy);
      break;
    case Event_Type.ACKNOWLEDGED:
      pod.acknowledged(event.acknowledged!.uuid!);
      break;
    // Pods only take groups. Mesos's default executor shuts down on such a task, too.
    case Event_Type.LAUNCH:
    case Event_Type.SHUTDOWN:
      pod.shutdown();
      break;
    default:
      break;
  }
}
