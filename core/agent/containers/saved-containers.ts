import { join } from "node:path";
import { crc32 } from "node:zlib";
import { Call_LaunchContainer } from "../../../proto/gen/mesos/v1/agent/agent.js";
import type { Value_Scalar } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerLaunch } from "../../../sdk/contracts/agent-containers.js";
import { errnoOf, messageOf, TepuiError } from "../../../sdk/errors/index.js";
import { containerName } from "../../../sdk/ids/index.js";
import type { DiskOperation } from "../disk/operations.js";
import { REAL_FILES, type StateFiles } from "../recovery/state-files.js";

interface Saved {
  readonly interactive: boolean;
  /** `agent.Call.LaunchContainer` in base64. */
  readonly launch: string;
  /** CRC-32 of the rest; absent in files written by earlier versions. */
  readonly check?: number;
}

const checkOf = ({ interactive, launch }: Partial<Saved>): number => crc32(`${interactive} ${launch}`);

/**
 * Records of nested and standalone containers as they were requested: one file each, below `meta/containers`, from before they run until
 * they are removed.
 */
export class SavedContainers {
  constructor(private readonly directory: string) {}

  save(launch: ContainerLaunch): DiskOperation {
    const limits = Object.entries(launch.limits).map(([name, value]): [string, Value_Scalar] => [
      name,
      { value },
    ]);
    const message = Call_LaunchContainer.encode({
      container_id: launch.containerId,
      command: launch.command,
      container: launch.container,
      resources: [...launch.resources],
      limits: Object.fromEntries(limits),
    }).finish();
    const saved: Saved = {
      interactive: launch.interactive === true,
      launch: Buffer.from(message).toString("base64"),
    };
    return {
      op: "write",
      path: join(this.directory, containerName(launch.containerId)),
      data: Buffer.from(JSON.stringify({ ...saved, check: checkOf(saved) })),
    };
  }

  forget(name: string): DiskOperation {
    return { op: "remove", path: join(this.directory, name) };
  }

  /** The records found there, and the files that could not be read and were skipped. */
  async read(files: StateFiles = REAL_FILES): Promise<{
    readonly launches: readonly ContainerLaunch[];
    readonly problems: readonly string[];
  }> {
    const launches: ContainerLaunch[] = [];
    const problems: string[] = [];
    for (const name of await this.names(files)) {
      try {
        const launch = parse(String(await files.readFile(join(this.directory, name))));
        if (containerName(launch.containerId) !== name) throw new Error("it is of another container");
        launches.push(launch);
      } catch (error) {
        problems.push(`'${join(this.directory, name)}' cannot be read: ${messageOf(error)}`);
      }
    }
    return { launches, problems };
  }

  private async names(files: StateFiles): Promise<string[]> {
    try {
      // A file that is still being written belongs to a container that never ran.
      return (await files.readdir(this.directory)).filter((name) => !name.endsWith(".tmp"));
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return [];
      throw new TepuiError("TEPUI_AGENT_RECOVERY_FAILED", {
        problems: [`'${this.directory}' cannot be read: ${messageOf(error)}`],
        cause: error,
      });
    }
  }
}

function parse(text: string): ContainerLaunch {
  const saved = JSON.parse(text) as Partial<Saved>;
  if (saved.check !== undefined && saved.check !== checkOf(saved)) {
    throw new Error("it is not what was written");
  }
  const { container_id, command, container, resources, limits } = Call_LaunchContainer.decode(
    Buffer.from(saved.launch ?? "", "base64"),
  );
  if (container_id?.value === undefined) throw new Error("it names no container");
  const amounts = Object.entries(limits).map(([name, { value }]) => [name, value ?? 0]);
  return {
    containerId: container_id,
    command,
    container,
    resources,
    limits: Object.fromEntries(amounts),
    interactive: saved.interactive === true,
  };
}
