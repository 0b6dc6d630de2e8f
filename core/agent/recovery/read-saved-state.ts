import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import * as internal from "../../../proto/gen/json/mesos/internal/messages.js";
import { ResourceState as ResourceStateCodec } from "../../../proto/gen/json/mesos/internal/state.js";
import * as v1 from "../../../proto/gen/json/mesos/v1/mesos.js";
import { type StatusUpdate, StatusUpdateRecord_Type } from "../../../proto/gen/mesos/internal/messages.js";
import type { ResourceState } from "../../../proto/gen/mesos/internal/state.js";
import { messageOf, TepuiError } from "../../../sdk/errors/index.js";
import { type AgentPaths, LATEST, type Layout, RUNS, type RunIds } from "../paths.js";
import { splitDelimited } from "../updates/update-record.js";
import { uuidKey } from "../updates/update-stream.js";
import type {
  Leftover,
  SavedAgent,
  SavedExecutor,
  SavedFramework,
  SavedResources,
  SavedTask,
} from "./saved-state.js";

interface Codec<T> {
  readonly name: string;
  decode(bytes: Uint8Array): T;
}

/**
 * Reads what an earlier run left below `work_dir`.
 *
 * A file that was cut off by the death of the agent counts as not written: what it was for had not begun. A file that is whole but
 * makes no sense is another matter: then the disk or a person changed it, and TEPUI_AGENT_RECOVERY_FAILED is thrown.
 */
export class SavedStateReader {
  private readonly problems: string[] = [];

  constructor(
    private readonly paths: AgentPaths,
    /** Milliseconds since the epoch. */
    private readonly now: number,
  ) {}

  async read(): Promise<SavedAgent> {
    const { meta } = this.paths;
    const agentId = await this.latest(meta.latestAgent());
    const info =
      agentId === undefined ? undefined : await this.message(v1.AgentInfo, meta.agentInfo(agentId));
    const known = info === undefined ? undefined : agentId;
    const frameworks = known === undefined ? [] : await this.frameworks(known);
    return {
      info,
      bootId: (await this.bytes(meta.bootId()))?.toString("utf8").trim(),
      resources: await this.resources(),
      frameworks,
      leftovers: await this.leftovers(known, frameworks),
      problems: this.problems,
    };
  }

  private async frameworks(agentId: string): Promise<SavedFramework[]> {
    const { meta } = this.paths;
    const found: SavedFramework[] = [];
    for (const frameworkId of await list(meta.frameworks(agentId))) {
      const ids = { agentId, frameworkId };
      const info = await this.message(v1.FrameworkInfo, meta.frameworkInfo(ids));
      if (info === undefined) continue;
      const pid = (await this.bytes(meta.frameworkPid(ids)))?.toString("utf8").trim();
      const executors: SavedExecutor[] = [];
      for (const executorId of await list(meta.executors(ids))) {
        const executor = await this.executor({ ...ids, executorId });
        if (executor !== undefined) executors.push(executor);
      }
      found.push({ id: frameworkId, info, pid: pid === "" ? undefined : pid, executors });
    }
    return found;
  }

  private async executor(ids: Omit<RunIds, "containerId">): Promise<SavedExecutor | undefined> {
    const { meta } = this.paths;
    const info = await this.message(v1.ExecutorInfo, meta.executorInfo(ids));
    const containerId = await this.latest(meta.latestRun(ids));
    if (info === undefined || containerId === undefined) return undefined;
    const run = { ...ids, containerId };
    const tasks: SavedTask[] = [];
    for (const taskId of await list(meta.tasks(run))) {
      const task = await this.task(run, taskId);
      if (task !== undefined) tasks.push(task);
    }
    return {
      id: ids.executorId,
      info,
      generated: (await this.bytes(meta.executorGenerated(ids)))?.toString() === "1",
      containerId,
      completed: (await this.bytes(meta.sentinel(run))) !== undefined,
      tasks,
    };
  }

  private async task(run: RunIds, taskId: string): Promise<SavedTask | undefined> {
    const { meta } = this.paths;
    const task = await this.message(v1.Task, meta.taskInfo(run, taskId));
    if (task === undefined) return undefined;
    const updates: StatusUpdate[] = [];
    const acknowledged = new Set<string>();
    for (const record of await this.messages(internal.StatusUpdateRecord, meta.taskUpdates(run, taskId))) {
      if (record.type === StatusUpdateRecord_Type.ACK) acknowledged.add(uuidKey(record.uuid));
      else if (record.update !== undefined) updates.push(record.update);
    }
    const definition = await this.message(v1.TaskInfo, meta.taskDefinition(run, taskId));
    return { task, definition, updates, acknowledged };
  }

  private async resources(): Promise<SavedResources> {
    const { meta } = this.paths;
    const state = await this.resourceState(meta.resourceState());
    const target = await this.resourceState(meta.resourceStateTarget());
    // Agents before operations wrote resources only, and may have been the last that ran here.
    const oldTarget = await this.bytes(meta.resourcesTarget());
    const resources = await this.messages(v1.Resource, meta.resources());
    return {
      committed: state?.resources ?? resources,
      operations: state?.operations ?? [],
      target:
        target ??
        (state !== undefined || oldTarget === undefined
          ? undefined
          : { resources: await this.messages(v1.Resource, meta.resourcesTarget()), operations: [] }),
    };
  }

  /** Undefined also for one that was cut off. */
  private resourceState(path: string): Promise<ResourceState | undefined> {
    return this.message(ResourceStateCodec, path);
  }

  /** Directories of agents, frameworks, executors and runs that will not be taken up. */
  private async leftovers(
    agentId: string | undefined,
    frameworks: readonly SavedFramework[],
  ): Promise<Leftover[]> {
    const { work, meta } = this.paths;
    const paths: string[] = [];
    for (const layout of [work, meta] satisfies Layout[]) {
      for (const other of await list(layout.agents())) {
        if (other !== agentId && other !== LATEST) paths.push(layout.agent(other));
      }
      if (agentId === undefined) continue;
      for (const frameworkId of await list(layout.frameworks(agentId))) {
        const framework = frameworks.find(({ id }) => id === frameworkId);
        const ids = { agentId, frameworkId };
        if (framework === undefined) paths.push(layout.framework(ids));
        else paths.push(...(await unusedExecutors(layout, ids, framework.executors)));
      }
    }
    return Promise.all(
      paths.map(async (path) => ({ path, age: Math.max(0, this.now - (await lastUse(path))) })),
    );
  }

  private async message<T>(codec: Codec<T>, path: string): Promise<T | undefined> {
    const [first] = await this.messages(codec, path);
    return first;
  }

  private async messages<T>(codec: Codec<T>, path: string): Promise<T[]> {
    const bytes = await this.bytes(path);
    if (bytes === undefined) return [];
    const { messages, rest } = splitDelimited(bytes);
    if (rest > 0) this.problems.push(`'${path}' was cut off; its last ${rest} bytes do not count`);
    try {
      return messages.map((message) => codec.decode(message));
    } catch (error) {
      throw new TepuiError("TEPUI_AGENT_RECOVERY_FAILED", {
        detail: `'${path}': ${messageOf(error)}`,
        cause: error,
      });
    }
  }

  private async bytes(path: string): Promise<Buffer | undefined> {
    try {
      return await readFile(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw new TepuiError("TEPUI_AGENT_RECOVERY_FAILED", {
        detail: `'${path}': ${messageOf(error)}`,
        cause: error,
      });
    }
  }

  /** The name that a `latest` link points to. */
  private async latest(path: string): Promise<string | undefined> {
    try {
      return basename(await readlink(path));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw new TepuiError("TEPUI_AGENT_RECOVERY_FAILED", {
        detail: `'${path}': ${messageOf(error)}`,
        cause: error,
      });
    }
  }
}

async function list(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw new TepuiError("TEPUI_AGENT_RECOVERY_FAILED", {
      detail: `'${path}': ${messageOf(error)}`,
      cause: error,
    });
  }
}

async function unusedExecutors(
  layout: Layout,
  ids: { readonly agentId: string; readonly frameworkId: string },
  executors: readonly SavedExecutor[],
): Promise<string[]> {
  const paths: string[] = [];
  for (const executorId of await list(layout.executors(ids))) {
    const executor = executors.find(({ id }) => id === executorId);
    const executorIds = { ...ids, executorId };
    if (executor === undefined || executor.completed) {
      paths.push(layout.executor(executorIds));
      continue;
    }
    for (const containerId of await list(layout.runs(executorIds))) {
      if (containerId !== executor.containerId && containerId !== LATEST) {
        paths.push(layout.run({ ...executorIds, containerId }));
      }
    }
  }
  return paths;
}

/** When a directory of the layout, or one of those in it, was changed last. Milliseconds since the epoch. */
async function lastUse(path: string): Promise<number> {
  let newest = (await lstat(path)).mtimeMs;
  // A run is the lowest: what is in there is the task's.
  if (basename(dirname(path)) === RUNS) return newest;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) newest = Math.max(newest, await lastUse(join(path, entry.name)));
  }
  return newest;
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
