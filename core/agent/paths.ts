import { join, resolve } from "node:path";

/** Identifies one run of one executor. */
export interface RunIds {
  readonly agentId: string;
  readonly frameworkId: string;
  readonly executorId: string;
  readonly containerId: string;
}

type ExecutorIds = Omit<RunIds, "containerId">;
type FrameworkIds = Omit<ExecutorIds, "executorId">;

/** Name of the link to the current run or agent. */
export const LATEST = "latest";
/** Parent of an executor's sandboxes. */
export const RUNS = "runs";

/**
 * Mesos's directory layout, which exists twice below `work_dir`: for sandboxes, and for what the agent remembers about them (`meta`). Ids
 * have been checked to be single path components.
 */
export class Layout {
  constructor(readonly root: string) {}

  agents = (): string => join(this.root, "slaves");
  latestAgent = (): string => join(this.agents(), LATEST);
  agent = (agentId: string): string => join(this.agents(), agentId);
  frameworks = (agentId: string): string => join(this.agent(agentId), "frameworks");
  framework = ({ agentId, frameworkId }: FrameworkIds): string => join(this.frameworks(agentId), frameworkId);
  executors = (ids: FrameworkIds): string => join(this.framework(ids), "executors");
  executor = (ids: ExecutorIds): string => join(this.executors(ids), ids.executorId);
  runs = (ids: ExecutorIds): string => join(this.executor(ids), RUNS);
  latestRun = (ids: ExecutorIds): string => join(this.runs(ids), LATEST);
  run = (ids: RunIds): string => join(this.runs(ids), ids.containerId);
}

/** What the agent remembers, below `work_dir/meta`. */
export class MetaLayout extends Layout {
  bootId = (): string => join(this.root, "boot_id");
  resources = (): string => join(this.root, "resources", "resources.info");
  resourcesTarget = (): string => join(this.root, "resources", "resources.target");
  /** Resources, and the operations that made them; `resources.info` is kept for agents that do not know this file. */
  resourceState = (): string => join(this.root, "resources", "resources_and_operations.state");
  resourceStateTarget = (): string => join(this.root, "resources", "resources_and_operations.target");
  agentInfo = (agentId: string): string => join(this.agent(agentId), "slave.info");
  /** Exists while the agent is draining. */
  drainConfig = (agentId: string): string => join(this.agent(agentId), "drain.config");
  frameworkInfo = (ids: FrameworkIds): string => join(this.framework(ids), "framework.info");
  frameworkPid = (ids: FrameworkIds): string => join(this.framework(ids), "framework.pid");
  executorInfo = (ids: ExecutorIds): string => join(this.executor(ids), "executor.info");
  /** `1` if the agent made the executor up for a command task. */
  executorGenerated = (ids: ExecutorIds): string =>
    join(this.executor(ids), "executor_generated_for_command_task");
  sentinel = (ids: RunIds): string => join(this.run(ids), "executor.sentinel");
  httpMarker = (ids: RunIds): string => join(this.run(ids), "http.marker");
  forkedPid = (ids: RunIds): string => join(this.run(ids), "pids", "forked.pid");
  /** Address of an executor that uses libprocess. */
  libprocessPid = (ids: RunIds): string => join(this.run(ids), "pids", "libprocess.pid");
  groups = (ids: RunIds): string => join(this.run(ids), "task_groups");
  /** Tasks that are launched and end together, named after the first. */
  group = (ids: RunIds, firstTaskId: string): string => join(this.groups(ids), firstTaskId);
  tasks = (ids: RunIds): string => join(this.run(ids), "tasks");
  task = (ids: RunIds, taskId: string): string => join(this.tasks(ids), taskId);
  taskInfo = (ids: RunIds, taskId: string): string => join(this.task(ids, taskId), "task.info");
  /** The task as requested; only written if `task.info` does not say enough. */
  taskDefinition = (ids: RunIds, taskId: string): string => join(this.task(ids, taskId), "task.definition");
  /** Why the task is being killed; exists from then on. Mesos's executors remember this themselves. */
  taskKill = (ids: RunIds, taskId: string): string => join(this.task(ids, taskId), "task.kill");
  taskUpdates = (ids: RunIds, taskId: string): string => join(this.task(ids, taskId), "task.updates");
}

/** All paths below one `work_dir`. */
export class AgentPaths {
  readonly work: Layout;
  readonly meta: MetaLayout;

  /** Directories that are being removed. */
  removing = (): string => join(this.workDir, "removing");
  /** The same for a disk of its own; `root` as in the resource. */
  removingOn = (root: string): string => join(resolve(this.workDir, root), "volumes", "removing");

  /** In the sandbox of a pod: links from task ids to their sandboxes. */
  podTasks = (sandbox: string): string => join(sandbox, "tasks");
  podTask = ({ directory, taskId }: { directory: string; taskId: string }): string =>
    join(this.podTasks(directory), taskId);
  podContainer = ({ directory, containerId }: { directory: string; containerId: string }): string =>
    join(directory, "containers", containerId);

  /** Sandbox of a container that belongs to no framework. */
  standaloneContainer = (containerId: string): string => join(this.workDir, "containers", containerId);
  /** Records of standalone and nested containers. */
  savedContainers = (): string => join(this.workDir, "meta", "containers");

  constructor(readonly workDir: string) {
    this.work = new Layout(workDir);
    this.meta = new MetaLayout(join(workDir, "meta"));
  }
}
