import * as internal from "../../../proto/gen/json/mesos/internal/messages.js";
import * as v1 from "../../../proto/gen/json/mesos/v1/mesos.js";
import { type StatusUpdate, StatusUpdateRecord_Type } from "../../../proto/gen/mesos/internal/messages.js";
import type { ExecutorInfo, TaskGroupInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { restoringBeside } from "../../../sdk/files/index.js";
import { validateResources } from "../../../sdk/resources/index.js";
import { isTerminal } from "../../../sdk/task-states.js";
import type { AgentPaths, RunIds } from "../paths.js";
import { isWholeKillRecord, type KillRecord, readKillRecord } from "../tasks/kill-record.js";
import { uuidKey } from "../updates/update-stream.js";
import { earlierProcess } from "./earlier-process.js";
import { findLeftovers } from "./leftovers.js";
import { readSavedResources } from "./read-saved-resources.js";
import { executorProblem, other, taskProblem, updateProblem } from "./record-problems.js";
import { RecordReader } from "./record-reader.js";
import type { SavedAgent, SavedExecutor, SavedFramework, SavedTask, SavedUpdates } from "./saved-state.js";
import type { StateFiles } from "./state-files.js";

const UUID_TEXT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const PID_TEXT = /^[^@]*@(\d+(\.\d+){3}|\[[0-9a-fA-F:.]+\]):\d+$/;

/** One run of one executor, and how strictly it is read. */
interface Run extends RunIds {
  readonly reader: RecordReader;
}

export interface SavedStateReaderOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whether a damaged record is an error or is skipped. */
  readonly strict: boolean;
  /** Default: those of the host. */
  readonly files?: StateFiles;
}

/**
 * Reads what an earlier run left behind below `work_dir`.
 *
 * What the death of the agent or the host cut off counts as not written: what the record was for had not started, or nothing is left of it.
 * Anything else is damage, and TEPUI_AGENT_RECOVERY_FAILED names the file.
 */
export class SavedStateReader {
  private readonly reader: RecordReader;
  private rebooted = false;

  constructor(
    private readonly paths: AgentPaths,
    private readonly options: SavedStateReaderOptions,
  ) {
    const latest = paths.meta.latestAgent();
    this.reader = new RecordReader({
      ...options,
      advice: `put the file back as it was; or start with --strict=false, which forgets what is damaged and ends its containers; or remove '${latest}' to start as a new agent and end all tasks of this one`,
    });
  }

  /** @param bootId identifies the current boot of the host */
  async read(bootId: string): Promise<SavedAgent> {
    const { meta } = this.paths;
    const savedBootId = await this.bootId(bootId);
    this.rebooted = savedBootId !== undefined && savedBootId !== bootId;
    const agentId = await this.reader.latest(meta.latestAgent());
    if (agentId === undefined) await this.expectNoRestore();
    const info = agentId === undefined ? undefined : await this.agent(agentId);
    const known = info === undefined ? undefined : agentId;
    const frameworks = known === undefined ? [] : await this.frameworks(known);
    const taken = { agentId: known, frameworks };
    return {
      info,
      bootId: savedBootId,
      resources: await readSavedResources(this.reader, meta),
      frameworks,
      drainConfig:
        known === undefined ? undefined : await this.reader.record(v1.DrainConfig, meta.drainConfig(known)),
      leftovers: await findLeftovers(this.paths, taken, { reader: this.reader, now: this.options.now }),
      problems: this.reader.problems,
    };
  }

  /** A new agent would end all tasks of the one that was being restored. */
  private async expectNoRestore(): Promise<void> {
    const restoring = restoringBeside(this.paths.meta.root);
    if ((await this.reader.list(restoring)).length === 0) return;
    const advice = `repeat it (tepui restore), or remove '${restoring}' to start as a new agent`;
    const problems = [`a restore into '${this.paths.meta.root}' did not come to its end`, advice];
    throw new TepuiError("TEPUI_AGENT_RECOVERY_FAILED", { problems });
  }

  /** Undefined: it was never written. */
  private async bootId(present: string): Promise<string | undefined> {
    const path = this.paths.meta.bootId();
    const saved = await this.reader.text(path);
    if (saved && UUID_TEXT.test(present) && !UUID_TEXT.test(saved)) {
      this.reader.fault(path, `'${saved}' names no boot of the host`);
      return undefined;
    }
    return saved;
  }

  private async agent(agentId: string): Promise<SavedAgent["info"]> {
    const { meta } = this.paths;
    return this.reader.record(v1.AgentInfo, meta.agentInfo(agentId), {
      // It is flushed before anything else is written.
      begun: (await this.reader.list(meta.frameworks(agentId))).length > 0,
      check: ({ id, resources }) => other("agent", id, agentId) ?? validateResources(resources),
    });
  }

  private async frameworks(agentId: string): Promise<SavedFramework[]> {
    const { meta } = this.paths;
    const found: SavedFramework[] = [];
    for (const frameworkId of await this.reader.list(meta.frameworks(agentId))) {
      const ids = { agentId, frameworkId };
      const executorIds = await this.reader.list(meta.executors(ids));
      const info = await this.reader.record(v1.FrameworkInfo, meta.frameworkInfo(ids), {
        begun: !this.rebooted && executorIds.length > 0,
        check: ({ id }) => other("framework", id, frameworkId),
      });
      if (info === undefined) continue;
      const executors: SavedExecutor[] = [];
      for (const executorId of executorIds) {
        const executor = await this.executor({ ...ids, executorId });
        if (executor !== undefined) executors.push(executor);
      }
      found.push({ id: frameworkId, info, pid: await this.frameworkPid(ids), executors });
    }
    return found;
  }

  /** Without it, the scheduler is reached through the master, which will send the address again. */
  private frameworkPid(ids: Pick<RunIds, "agentId" | "frameworkId">): Promise<string | undefined> {
    return this.address(this.paths.meta.frameworkPid(ids));
  }

  private async address(path: string): Promise<string | undefined> {
    const pid = await this.reader.text(path);
    if (!pid || PID_TEXT.test(pid)) return pid || undefined;
    this.reader.problems.push(`'${path}' holds no address, and does not count`);
    return undefined;
  }

  private async groups(run: Run): Promise<TaskGroupInfo[]> {
    const { meta } = this.paths;
    const found: TaskGroupInfo[] = [];
    for (const firstTaskId of await run.reader.list(meta.groups(run))) {
      const group = await run.reader.record(v1.TaskGroupInfo, meta.group(run, firstTaskId), {
        check: ({ tasks }) => other("task", tasks[0]?.task_id, firstTaskId),
      });
      if (group !== undefined) found.push(group);
    }
    return found;
  }

  private async executor(ids: Omit<RunIds, "containerId">): Promise<SavedExecutor | undefined> {
    const { meta } = this.paths;
    const containerId = await this.reader.latest(meta.latestRun(ids));
    const sentinel = meta.sentinel({ ...ids, containerId: containerId ?? "" });
    const completed = containerId !== undefined && (await this.reader.exists(sentinel));
    const reader = completed ? this.reader.forHistory : this.reader;
    const info = await reader.record(v1.ExecutorInfo, meta.executorInfo(ids), {
      // It is rewritten when an executor starts again, before the new run exists.
      begun: !this.rebooted && containerId !== undefined && !completed,
      check: (found) => executorProblem(found, ids),
    });
    if (containerId === undefined) await this.expectNoTasks(ids);
    if (info === undefined || containerId === undefined) return undefined;
    const run = { ...ids, containerId, reader };
    const tasks: SavedTask[] = [];
    for (const taskId of await run.reader.list(meta.tasks(run))) {
      const task = await this.task(run, taskId);
      if (task !== undefined) tasks.push(task);
    }
    return {
      id: ids.executorId,
      info,
      generated: await this.generated(run, { info, tasks }),
      containerId,
      // Without it, the executor cannot be asked to come back, and is destroyed when its time for that is over.
      driver: completed ? undefined : await this.address(meta.libprocessPid(run)),
      process:
        completed || this.rebooted ? undefined : await earlierProcess(this.reader, meta.forkedPid(run)),
      completed,
      tasks,
      groups: completed ? [] : await this.groups(run),
    };
  }

  /** The records of tasks are written after the link to their run. */
  private async expectNoTasks(ids: Omit<RunIds, "containerId">): Promise<void> {
    const { meta } = this.paths;
    if (this.rebooted) return;
    for (const containerId of await this.reader.list(meta.runs(ids))) {
      const tasks = await this.reader.list(meta.tasks({ ...ids, containerId }));
      if (tasks.length > 0) this.reader.fault(meta.latestRun(ids), "it is missing");
    }
  }

  /** Whether the agent made the executor up. Old agents of Mesos did not record that. */
  private async generated(
    run: Run,
    { info, tasks }: { info: ExecutorInfo; tasks: readonly SavedTask[] },
  ): Promise<boolean> {
    const path = this.paths.meta.executorGenerated(run);
    const text = (await run.reader.text(path)) || undefined;
    const [first] = tasks;
    const likely =
      first === undefined
        ? info.name?.startsWith("Command Executor") === true
        : first.task.executor_id === undefined;
    const contradicted = first !== undefined && text !== undefined && (text === "1") !== likely;
    if (contradicted || (text !== undefined && text !== "0" && text !== "1")) {
      run.reader.fault(path, `it holds '${text}'${contradicted ? ", but its task says otherwise" : ""}`);
    }
    return contradicted || text === undefined ? likely : text === "1";
  }

  private async task(run: Run, taskId: string): Promise<SavedTask | undefined> {
    const { meta } = this.paths;
    const updates = await this.updates(run, taskId);
    const closed = updates.updates.some(
      ({ uuid, status }) => isTerminal(status?.state) && updates.acknowledged.has(uuidKey(uuid)),
    );
    // An id may be reused.
    const begun = !this.rebooted && updates.updates.length > 0 && !closed;
    const task = await run.reader.record(v1.Task, meta.taskInfo(run, taskId), {
      begun,
      check: (found) => taskProblem(found, run, taskId),
    });
    if (task === undefined) return undefined;
    const path = meta.taskDefinition(run, taskId);
    const definition = await run.reader.record(v1.TaskInfo, path, {
      begun: begun && (await run.reader.exists(path)),
      check: ({ task_id: id, resources }) => other("task", id, taskId) ?? validateResources(resources),
    });
    const kill = await this.kill(run, taskId);
    return { task, definition, ...updates, ...(kill !== undefined && { kill }) };
  }

  private async kill(run: Run, taskId: string): Promise<KillRecord | undefined> {
    const path = this.paths.meta.taskKill(run, taskId);
    const text = await run.reader.text(path);
    // It is replaced as a whole, so that only the host's death cuts it off.
    if (text !== undefined && !this.rebooted && !isWholeKillRecord(text)) {
      run.reader.fault(path, `it holds '${text}'`);
    }
    return text === undefined ? undefined : readKillRecord(text);
  }

  private async updates(run: Run, taskId: string): Promise<SavedUpdates> {
    const path = this.paths.meta.taskUpdates(run, taskId);
    const updates: StatusUpdate[] = [];
    const acknowledged = new Set<string>();
    const seen = new Set<string>();
    const { cutAt } = await run.reader.records(internal.StatusUpdateRecord, path, {
      check: (record) => {
        const problem = updateProblem(record, { frameworkId: run.frameworkId, taskId, seen });
        if (problem !== undefined) return problem;
        if (record.type === StatusUpdateRecord_Type.ACK) acknowledged.add(uuidKey(record.uuid));
        else {
          seen.add(uuidKey(record.update!.uuid));
          updates.push(record.update!);
        }
        return undefined;
      },
    });
    return { updates, acknowledged, cutAt };
  }
}
