import { basename, dirname, join } from "node:path";
import { messageOf } from "../../../sdk/errors/index.js";
import { type AgentPaths, LATEST, type Layout, RUNS } from "../paths.js";
import type { RecordReader } from "./record-reader.js";
import type { Leftover, SavedExecutor, SavedFramework } from "./saved-state.js";
import type { StateFiles } from "./state-files.js";

/**
 * Directories of agents, frameworks, executors and runs that will not be recovered.
 *
 * @param taken.agentId undefined: none is
 * @param now milliseconds since the epoch
 */
export async function findLeftovers(
  { work, meta }: AgentPaths,
  taken: { readonly agentId: string | undefined; readonly frameworks: readonly SavedFramework[] },
  { reader, now }: { readonly reader: RecordReader; readonly now: number },
): Promise<Leftover[]> {
  const { agentId, frameworks } = taken;
  const paths: string[] = [];
  for (const layout of [work, meta] satisfies Layout[]) {
    for (const other of await reader.list(layout.agents())) {
      if (other !== agentId && other !== LATEST) paths.push(layout.agent(other));
    }
    if (agentId === undefined) continue;
    for (const frameworkId of await reader.list(layout.frameworks(agentId))) {
      const framework = frameworks.find(({ id }) => id === frameworkId);
      const ids = { agentId, frameworkId };
      if (framework === undefined) paths.push(layout.framework(ids));
      else paths.push(...(await unusedExecutors(layout, ids, { executors: framework.executors, reader })));
    }
  }
  const found = await Promise.all(
    paths.map(async (path): Promise<Leftover[]> => {
      try {
        return [{ path, age: Math.max(0, now - (await lastUse(reader.files, path))) }];
      } catch (error) {
        // Nothing depends on it, so it stays where it is.
        reader.problems.push(`'${path}', which is not used any more, cannot be read: ${messageOf(error)}`);
        return [];
      }
    }),
  );
  return found.flat();
}

async function unusedExecutors(
  layout: Layout,
  ids: { readonly agentId: string; readonly frameworkId: string },
  { executors, reader }: { executors: readonly SavedExecutor[]; reader: RecordReader },
): Promise<string[]> {
  const paths: string[] = [];
  for (const executorId of await reader.list(layout.executors(ids))) {
    const executor = executors.find(({ id }) => id === executorId);
    const executorIds = { ...ids, executorId };
    if (executor === undefined || executor.completed) {
      paths.push(layout.executor(executorIds));
      continue;
    }
    for (const containerId of await reader.list(layout.runs(executorIds))) {
      if (containerId !== executor.containerId && containerId !== LATEST) {
        paths.push(layout.run({ ...executorIds, containerId }));
      }
    }
  }
  return paths;
}

/** When a directory of the layout, or one of its subdirectories, was changed last. Milliseconds since the epoch. */
async function lastUse(files: StateFiles, path: string): Promise<number> {
  const found = await files.lstat(path);
  // A run is the lowest level: its content belongs to the task. Some entries are not directories, such as links that were being replaced.
  if (!found.isDirectory() || basename(dirname(path)) === RUNS) return found.mtimeMs;
  let newest = found.mtimeMs;
  for (const name of await files.readdir(path)) {
    newest = Math.max(newest, await lastUse(files, join(path, name)));
  }
  return newest;
}
