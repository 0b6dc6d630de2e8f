import { readlink } from "node:fs/promises";
import type { ContainerIo } from "../../sdk/contracts/container-logger.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Contribution, Namespace } from "../../sdk/contracts/contribution.js";
import type { LaunchPlan } from "../../sdk/contracts/launcher.js";
import { errnoOf } from "../../sdk/errors/index.js";
import { commandOf, switchedUser } from "./plan.js";
import type { Surroundings } from "./surroundings.js";

/** By the names of `/proc/<pid>/ns`. */
const NAMESPACES: Readonly<Record<Namespace, string>> = {
  pid: "pid",
  ipc: "ipc",
  mount: "mnt",
  network: "net",
  uts: "uts",
  cgroup: "cgroup",
};

/** The namespaces of a process that are not this agent's own, to be entered. */
async function namespacesOf(pid: number): Promise<NonNullable<Contribution["enter"]>> {
  const entries = Object.entries(NAMESPACES) as [Namespace, string][];
  const found = await Promise.all(
    entries.map(async ([namespace, name]) => {
      const path = `/proc/${pid}/ns/${name}`;
      const [theirs, ours] = await Promise.all([identity(path), identity(`/proc/self/ns/${name}`)]);
      return theirs === ours ? [] : [[namespace, path] as const];
    }),
  );
  return Object.fromEntries(found.flat());
}

/** An agent that may not look at a namespace could not have given a container another one. */
async function identity(path: string): Promise<string | undefined> {
  return readlink(path).catch((error: unknown) => {
    if (errnoOf(error) === "EACCES" || errnoOf(error) === "EPERM") return undefined;
    throw error;
  });
}

/** The plan of a process that looks into a container: where that is, as that is, but what the request names itself. */
export async function planLookingIn(options: {
  readonly id: string;
  readonly request: ContainerRequest;
  readonly io: ContainerIo;
  readonly record: string;
  /** Of the container: its first process, and what it was started with. */
  readonly pid: number;
  readonly surroundings: Surroundings;
}): Promise<LaunchPlan> {
  const { id, request, io, record, pid, surroundings } = options;
  return {
    containerId: id,
    ...commandOf(request),
    environment: { ...surroundings.environment, ...request.environment },
    workingDirectory: surroundings.workingDirectory,
    sandbox: request.directory,
    user: switchedUser(request.user) ?? surroundings.user,
    stdout: io.stdout,
    stderr: io.stderr,
    record,
    immediate: true,
    outlivesAgent: request.checkpoint,
    contribution: { ...surroundings.confinement, enter: await namespacesOf(pid) },
  };
}
