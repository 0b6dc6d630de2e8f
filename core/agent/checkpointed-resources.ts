import {
  type Resource,
  Resource_DiskInfo_Source_Type as SourceType,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { applyCheckpointed, Resources } from "../../sdk/resources/index.js";
import { persistentVolumePath } from "../../sdk/volumes/index.js";
import type { AgentState } from "./agent-state.js";
import type { Checkpoints } from "./checkpoint.js";
import type { Disk, DiskOperation } from "./disk/operations.js";
import type { AgentPaths } from "./paths.js";

/** Dynamic reservations and persistent volumes: the master says which there are, the agent remembers and makes them. */
export class CheckpointedResources {
  constructor(
    private readonly options: {
      readonly state: AgentState;
      readonly checkpoints: Checkpoints;
      readonly paths: AgentPaths;
      readonly disk: Disk;
      readonly logger: Logger;
    },
  ) {}

  /** Those of an earlier run. Throws TEPUI_AGENT_RECOVERY_FAILED when the host no longer has what they are made of. */
  restore(messages: readonly Resource[]): void {
    const { state } = this.options;
    const resources = Resources.of(messages);
    const total = applyCheckpointed(Resources.of(state.info.resources), resources);
    if (!total.ok) throw new TepuiError("TEPUI_AGENT_RECOVERY_FAILED", { detail: total.error });
    state.checkpointed = resources;
    state.total = total.value;
  }

  /** All of them; what is not among them any more is gone, volumes with their content. */
  async replace(messages: readonly Resource[]): Promise<void> {
    const { state, checkpoints, disk, logger } = this.options;
    const next = Resources.of(messages);
    const total = applyCheckpointed(Resources.of(state.info.resources), next);
    if (!total.ok) {
      logger.error(`the master's reservations do not fit this agent: ${total.error}`);
      return;
    }
    const before = state.checkpointed;
    state.checkpointed = next;
    state.total = total.value;
    const { target, commit } = checkpoints.resources(next.toMessages());
    try {
      await disk.apply([...target, ...this.volumeChanges(before, next), ...commit]);
    } catch (error) {
      logger.error({ err: error }, "reservations and volumes could not be written down");
    }
  }

  private volumeChanges(before: Resources, after: Resources): DiskOperation[] {
    const had = this.volumePaths(before);
    const has = this.volumePaths(after);
    return [
      ...[...has].filter((path) => !had.has(path)).map((path): DiskOperation => ({ op: "mkdir", path })),
      ...[...had].filter((path) => !has.has(path)).map((path): DiskOperation => ({ op: "remove", path })),
    ];
  }

  private volumePaths(resources: Resources): Set<string> {
    const paths = new Set<string>();
    for (const entry of resources.persistentVolumes()) {
      // A mounted disk is the volume: it is there without us, and emptying it is the operator's decision.
      if (entry.kind.disk?.source?.type === SourceType.MOUNT) continue;
      const path = persistentVolumePath(entry, this.options.paths.workDir);
      if (path !== undefined) paths.add(path);
    }
    return paths;
  }
}
