import { readdirSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { groupsBelow } from "../soak/remains.js";
import { getJson } from "./cluster.js";
import type { Daemon } from "./daemons.js";
import { eventually } from "./eventually.js";

const CONTAINER_ID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/** What the containers of an agent leave on its host: only that of this one, whose directories carry a name of its own. */
export class ContainerTraces {
  private constructor(
    private readonly directories: { readonly work: string; readonly runtime: string },
    private readonly cgroupRoot: string | undefined,
    private readonly before: ReadonlySet<string>,
  ) {}

  /** @param cgroupRoot control group of all of its containers, relative to the hierarchies; undefined: they have none */
  static async of(agent: Daemon, cgroupRoot?: string): Promise<ContainerTraces> {
    const { flags } = (await getJson(agent, "/flags")) as {
      flags: { work_dir: string; runtime_dir: string };
    };
    const directories = { work: flags.work_dir, runtime: flags.runtime_dir };
    return new ContainerTraces(directories, cgroupRoot, new Set(mountsIn(directories)));
  }

  /** Resolves when nothing is left. Rejects with what is, where that does not go. */
  async gone(): Promise<void> {
    let left: readonly string[] = [];
    const nothing = async (): Promise<true | undefined> => {
      left = await this.left();
      return left.length === 0 ? true : undefined;
    };
    await eventually(nothing, 20_000).catch(() => {
      throw new Error(`left of containers:\n${left.join("\n")}`);
    });
  }

  /** A line each. */
  async left(): Promise<string[]> {
    const { work, runtime } = this.directories;
    const records = [
      join(runtime, "containers"),
      join(work, "provisioner"),
      join(work, "meta", "containers"),
    ];
    const files = await Promise.all(records.map(filesOfContainers));
    return [
      ...processesOf(work).map((text) => `process ${text}`),
      ...(this.cgroupRoot === undefined ? [] : await groupsBelow(this.cgroupRoot)).map(
        (path) => `group ${path}`,
      ),
      ...mountsIn(this.directories)
        .filter((target) => !this.before.has(target))
        .map((target) => `mount ${target}`),
      ...(await socketsIn(runtime)).map((path) => `socket ${path}`),
      ...files.flat().map((path) => `file ${path}`),
    ];
  }
}

/** Those that have a sandbox below the directory for theirs, or were given its path. The agent's own processes have neither. */
function processesOf(workDirectory: string): string[] {
  const sandboxes = join(workDirectory, "slaves");
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    const command = textOf(`/proc/${pid}/cmdline`);
    const of = `${command}\0${textOf(`/proc/${pid}/environ`)}`;
    return of.includes(sandboxes) ? [`${pid} ${command.replaceAll("\0", " ").slice(0, 200)}`] : [];
  });
}

const mountsIn = (directories: { readonly work: string; readonly runtime: string }): string[] =>
  textOf("/proc/self/mountinfo")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((target) => Object.values(directories).some((path) => target.startsWith(`${path}/`)));

/** Empty where it cannot be read: it ended meanwhile. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

const filesOfContainers = async (directory: string): Promise<string[]> =>
  (await readdir(directory, { recursive: true }).catch(() => []))
    .filter((path) => CONTAINER_ID.test(path))
    .map((path) => join(directory, path));

const socketsIn = async (directory: string): Promise<string[]> =>
  (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isSocket())
    .map(({ parentPath, name }) => join(parentPath, name));
