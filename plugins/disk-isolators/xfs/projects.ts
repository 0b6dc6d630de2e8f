import { access } from "node:fs/promises";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { errnoOf, messageOf, TepuiError } from "../../../sdk/errors/index.js";
import type { ProjectIds } from "./project-ids.js";
import type { ProjectQuotas } from "./project-quotas.js";
import type { XfsMount } from "./xfs-mounts.js";

export interface ProjectsOptions {
  readonly ids: ProjectIds;
  readonly quotas: ProjectQuotas;
  readonly findMount: (path: string) => Promise<XfsMount | { readonly lack: string }>;
  readonly logger: Logger;
}

/** What counts as a whole for XFS: one or several directories. */
export interface Project {
  readonly id: number;
  readonly mountPoint: string;
}

/** Which directories are of which project. That is written in the file system itself; here is what of it matters to containers. */
export class Projects {
  /** By directory. An id is given back when none of its directories exists any more: until then their files count as its. */
  private readonly known = new Map<string, Project>();
  /** Of directories that are about to get one. */
  private readonly pending = new Map<string, Promise<Project>>();
  private readonly reading = new Map<string, Promise<ReadonlyMap<number, bigint>>>();

  constructor(private readonly options: ProjectsOptions) {}

  /** Finds out which of these directories have a project. */
  async recover(directories: readonly string[]): Promise<void> {
    const { findMount, ids, quotas } = this.options;
    const onXfs: { directory: string; mountPoint: string }[] = [];
    for (const directory of directories) {
      const mount = await findMount(directory);
      if (!("lack" in mount)) onXfs.push({ directory, mountPoint: mount.mountPoint });
    }
    const found = await quotas.idsOf(onXfs.map(({ directory }) => directory));
    for (const [index, { directory, mountPoint }] of onXfs.entries()) {
      const id = found[index];
      if (id === undefined) continue;
      ids.occupy(id);
      this.known.set(directory, { id, mountPoint });
    }
  }

  /** The directory's; a new one where it has none. Rejects with TEPUI_CONTAINER_LAUNCH_FAILED where it cannot have one. */
  of(directory: string): Promise<Project> {
    let pending = this.pending.get(directory);
    if (pending === undefined) {
      pending = this.find(directory).finally(() => this.pending.delete(directory));
      this.pending.set(directory, pending);
    }
    return pending;
  }

  /** Puts a directory into a project, where it is on the same file system. */
  async join(directory: string, project: Project): Promise<void> {
    const mount = await this.options.findMount(directory);
    if ("lack" in mount || mount.mountPoint !== project.mountPoint) return;
    await this.assign(directory, project);
  }

  /** Bytes; undefined: it holds nothing yet. */
  async used({ id, mountPoint }: Project): Promise<bigint | undefined> {
    const { quotas } = this.options;
    // One reading for all that ask at a time.
    let reading = this.reading.get(mountPoint);
    if (reading === undefined) {
      reading = quotas.usage(mountPoint).finally(() => this.reading.delete(mountPoint));
      this.reading.set(mountPoint, reading);
    }
    return (await reading).get(id);
  }

  /** Gives back the ids of projects without a directory, but for those that somebody still counts by. */
  async reclaim(counted: readonly Project[]): Promise<void> {
    const { ids, quotas, logger } = this.options;
    const inUse = new Set(counted.map(({ id }) => id));
    const gone = new Map<number, Project>();
    for (const [directory, project] of [...this.known]) {
      if (await exists(directory)) {
        inUse.add(project.id);
        continue;
      }
      gone.set(project.id, project);
      this.known.delete(directory);
    }
    for (const { id, mountPoint } of gone.values()) {
      if (inUse.has(id)) continue;
      await quotas.limit(mountPoint, [{ id, soft: 0n, hard: 0n }]).catch((error: unknown) => {
        // Whoever gets it next sets a limit of its own.
        logger.warn({ err: error, project: id }, "the limit of an unused XFS project could not be removed");
      });
      ids.release(id);
    }
  }

  private async find(directory: string): Promise<Project> {
    const known = this.known.get(directory);
    if (known !== undefined) return known;
    const { ids, quotas } = this.options;
    const mountPoint = await this.mountPointOf(directory);
    const [found] = await quotas.idsOf([directory]);
    if (found !== undefined) ids.occupy(found);
    const id = found ?? ids.next();
    if (id === undefined)
      throw refused(
        "Failed to assign project ID, range exhausted: give more in --xfs_project_range, or wait until old sandboxes are removed",
      );
    const project = { id, mountPoint };
    if (found === undefined) await this.assign(directory, project);
    else this.known.set(directory, project);
    return project;
  }

  private async assign(directory: string, project: Project): Promise<void> {
    // Before it is done: also what is half done is to be given back one day.
    this.known.set(directory, project);
    try {
      await this.options.quotas.assign(directory, project);
    } catch (error) {
      throw refused(`Failed to assign project ${project.id}: ${messageOf(error)}`);
    }
  }

  private async mountPointOf(directory: string): Promise<string> {
    const mount = await this.options.findMount(directory);
    if ("lack" in mount) throw refused(`disk/xfs needs ${mount.lack}`);
    return mount.mountPoint;
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    (error: unknown) => errnoOf(error) !== "ENOENT",
  );

const refused = (detail: string): TepuiError => new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail });
