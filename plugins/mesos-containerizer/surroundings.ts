import { mkdir, readdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Environment_Variable_Type } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { LaunchPlan } from "../../sdk/contracts/launcher.js";
import { errnoOf } from "../../sdk/errors/index.js";

/** What a process that is to look into a container shares with it, beside its namespaces. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string>>;
  /** As the container sees it. */
  readonly workingDirectory: string;
  readonly user: string | undefined;
  /** Its groups, and what it may do at most: nobody gets more rights by looking in. */
  readonly confinement: Pick<Contribution, (typeof CONFINEMENT)[number]>;
}

const CONFINEMENT = [
  "cgroups",
  "supplementaryGroups",
  "rlimits",
  "capabilities",
  "noNewPrivileges",
  "seccompFilter",
  "oomScoreAdjust",
] as const satisfies readonly (keyof Contribution)[];

export function surroundingsOf({
  environment,
  workingDirectory,
  user,
  contribution,
}: LaunchPlan): Surroundings {
  const parts = CONFINEMENT.filter((part) => contribution[part] !== undefined);
  const confinement = Object.fromEntries(parts.map((part) => [part, contribution[part]]));
  return { environment, workingDirectory, user, confinement };
}

/** With this an executor shows the agent who it is. */
const EXECUTOR_TOKEN = "MESOS_EXECUTOR_AUTHENTICATION_TOKEN";

/** What may be written down of the surroundings. Secrets have no place on a disk: who looks in after a restart of the agent does not find them. */
export function withoutSecrets(surroundings: Surroundings, { command }: ContainerRequest): Surroundings {
  const secrets = new Set<string | undefined>([EXECUTOR_TOKEN]);
  for (const { name, type } of command.environment?.variables ?? [])
    if (type === Environment_Variable_Type.SECRET) secrets.add(name);
  const others = Object.entries(surroundings.environment).filter(([name]) => !secrets.has(name));
  return { ...surroundings, environment: Object.fromEntries(others) };
}

/** Keeps the surroundings of containers over a restart of the agent, for its own eyes. */
export class SavedSurroundings {
  /** Names of the containers that have a file: looking for one costs each container that ends a turn of the file system. */
  private readonly saved = new Set<string>();

  constructor(private readonly directory: string) {}

  async open(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
  }

  async save(container: string, surroundings: Surroundings): Promise<void> {
    this.saved.add(container);
    await writeFile(this.path(container), JSON.stringify(surroundings), { mode: 0o600 });
  }

  /** Undefined where there is none, or one that was cut off. */
  async load(container: string): Promise<Surroundings | undefined> {
    this.saved.add(container);
    try {
      return JSON.parse(await readFile(this.path(container), "utf8")) as Surroundings;
    } catch (error) {
      if (error instanceof SyntaxError || isMissing(error)) return undefined;
      throw error;
    }
  }

  async forget(container: string): Promise<void> {
    if (!this.saved.delete(container)) return;
    await this.remove(container);
  }

  /** Removes what earlier runs left of other containers. */
  async keep(containers: ReadonlySet<string>): Promise<void> {
    for (const container of await readdir(this.directory))
      if (!containers.has(container)) await this.remove(container);
  }

  private async remove(container: string): Promise<void> {
    try {
      await unlink(this.path(container));
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  private path(container: string): string {
    return join(this.directory, container);
  }
}

const isMissing = (error: unknown): boolean => errnoOf(error) === "ENOENT";
