import { ResourceState as ResourceStateCodec } from "../../../proto/gen/json/mesos/internal/state.js";
import * as v1 from "../../../proto/gen/json/mesos/v1/mesos.js";
import type { Resource } from "../../../proto/gen/mesos/v1/mesos.js";
import { validateResources } from "../../../sdk/resources/index.js";
import { UUID_BYTES } from "../executors/executor-call-validation.js";
import type { AgentPaths } from "../paths.js";
import type { RecordReader } from "./record-reader.js";
import type { SavedResources } from "./saved-state.js";

/**
 * Reads reservations, volumes and operations. They are flushed before anything that depends on them is done, so they are never found cut
 * off.
 */
export async function readSavedResources(
  reader: RecordReader,
  meta: AgentPaths["meta"],
): Promise<SavedResources> {
  const state = await resourceState(reader, meta.resourceState());
  const target = await resourceState(reader, meta.resourceStateTarget());
  // Agents from before operations wrote resources only, and one of them may have run here last.
  const old = { committed: meta.resources(), target: meta.resourcesTarget() };
  const resources = state?.resources ?? (await oldResources(reader, old.committed));
  const oldTarget =
    state === undefined && target === undefined && (await reader.exists(old.target))
      ? { resources: await oldResources(reader, old.target), operations: [] }
      : undefined;
  return { committed: resources, operations: state?.operations ?? [], target: target ?? oldTarget };
}

async function resourceState(reader: RecordReader, path: string): Promise<SavedResources["target"]> {
  return reader.record(ResourceStateCodec, path, {
    begun: await reader.exists(path),
    check: ({ resources, operations }) =>
      validateResources(resources) ??
      (operations.every(({ uuid }) => uuid?.value?.length === UUID_BYTES)
        ? undefined
        : "an operation has no UUID"),
  });
}

async function oldResources(reader: RecordReader, path: string): Promise<readonly Resource[]> {
  const { records, cutAt } = await reader.records(v1.Resource, path, {
    check: (resource) => validateResources([resource]),
  });
  if (cutAt !== undefined) reader.fault(path, "it is not whole");
  return records;
}
