import { isAbsolute, join } from "node:path";
import type { ContainerMount, Contribution, Namespace } from "../../../sdk/contracts/contribution.js";
import type { LaunchPlan } from "../../../sdk/contracts/launcher.js";
import { planCommand, refused } from "../shim/plan-command.js";
import type { FieldValue, LaunchCommand } from "../shim/protocol.js";
import { capabilityMask } from "./capabilities.js";
import { kernelMount } from "./mount-options.js";

/** The group that holds a container together, as the helper makes and joins it. */
export interface CageDirectories {
  /** Below the root of the hierarchy. */
  readonly path: string;
  /** What is to be there first: with a container within another, a place below that one's group. */
  readonly above: readonly string[];
  /** The group's own directory, and on v2 the one in it that holds the processes. */
  readonly made: readonly string[];
  /** The group of the outermost container, which is this one's own where it is within none. */
  readonly outermost: string;
}

/** Everything that a plan asks for, in the kernel's terms. Throws for what contradicts itself. */
export function linuxCommand(plan: LaunchPlan, cage: CageDirectories): LaunchCommand {
  const command = planCommand(plan);
  const problem = contradiction(plan);
  if (problem !== undefined) throw refused(problem);
  const own = cage.made.at(-1)!;
  const isOwn = (path: string): boolean => path.startsWith(`${cage.made[0]}/`);
  // On v2 a process is in one group. Of those that isolators made in the same place, one of its own goes before; one of a container that
  // it is within is above its own anyway.
  const others = command.cgroups.filter(
    (path) => path !== own && (isOwn(path) || !`${path}/`.startsWith(`${cage.outermost}/`)),
  );
  return {
    ...command,
    cgroups: others.some(isOwn) ? others : [own, ...others],
    more: { group: cage.path, above: cage.above, cage: cage.made, ...setup(plan) },
  };
}

function setup(plan: LaunchPlan): Record<string, FieldValue | undefined> {
  const { contribution, sandbox } = plan;
  const { namespaces = [], enter = {}, rootfs, capabilities, seccompFilter } = contribution;
  const { bounding = capabilities?.effective, effective } = capabilities ?? {};
  return {
    init: namespaces.includes("pid"),
    unshare: [...new Set(namespaces)].filter((namespace) => namespace !== "pid"),
    enter: Object.entries(enter).flat(),
    hostname: contribution.hostname,
    sandbox,
    rootfs: rootfs?.path,
    root_mounts: rootfs?.mounts.flatMap(mountFields),
    mounts: (contribution.mounts ?? []).map((mount) => inContainer(mount, plan)).flatMap(mountFields),
    nodes: contribution.deviceNodes?.flatMap(({ path, type, major, minor, mode }) => [
      path,
      type,
      ...[major, minor, mode].map(String),
    ]),
    links: Object.entries(contribution.symlinks ?? {}).flat(),
    masked: contribution.maskedPaths,
    readonly: contribution.readonlyPaths,
    bounding: bounding && capabilityMask(bounding),
    effective: effective && capabilityMask(effective),
    filter: seccompFilter && Buffer.from(seccompFilter, "base64").toString("hex"),
  };
}

const mountFields = (mount: ContainerMount): string[] => {
  const { flags, set, clear, propagation, data } = kernelMount(mount);
  const numbers = [flags, set, clear, propagation].map(String);
  return [
    mount.source,
    mount.target,
    mount.type ?? "",
    ...numbers,
    data,
    mount.create ?? "",
    mount.from ?? "",
  ];
};

/** With a root of its own, a container sees its sandbox where that is mounted, and what is relative to it there. */
function inContainer(mount: ContainerMount, { contribution, sandbox }: LaunchPlan): ContainerMount {
  if (isAbsolute(mount.target) || contribution.rootfs === undefined) return mount;
  const sandboxMount = contribution.mounts?.find(
    ({ source, target }) => source === sandbox && isAbsolute(target),
  );
  if (sandboxMount === undefined) {
    throw refused(`'${mount.target}' is relative to the sandbox, which the container does not see`);
  }
  return { ...mount, target: join(sandboxMount.target, mount.target) };
}

/** What cannot be, or would change the host or another container instead of this one. */
function contradiction({ contribution }: LaunchPlan): string | undefined {
  const { namespaces = [], enter = {}, hostname, seccompFilter, capabilities } = contribution;
  const has = (namespace: Namespace): boolean => namespaces.includes(namespace);
  for (const namespace of namespaces) {
    // A mount namespace is a copy of the one entered, and processes have a namespace below it.
    if (namespace !== "mount" && namespace !== "pid" && enter[namespace] !== undefined) {
      return `the container cannot both have a ${namespace} namespace of its own and enter '${enter[namespace]}'`;
    }
  }
  if (hostname !== undefined && !has("uts")) return `the host name '${hostname}' needs a uts namespace`;
  const files = FILES.find(([part]) => isGiven(contribution[part]));
  if (files !== undefined && !has("mount")) return `${files[1]} need a mount namespace`;
  if (seccompFilter !== undefined && Buffer.from(seccompFilter, "base64").length % 8 !== 0) {
    return "the seccomp filter is not a list of instructions";
  }
  const outside =
    capabilities?.effective?.filter((name) => capabilities.bounding?.includes(name) === false) ?? [];
  if (outside.length > 0) return `the capabilities ${outside.join(", ")} are outside of the bounding set`;
  return undefined;
}

const isGiven = (value: object | undefined): boolean => value !== undefined && Object.keys(value).length > 0;

const FILES = [
  ["rootfs", "root file systems"],
  ["mounts", "mounts"],
  ["deviceNodes", "device nodes"],
  ["symlinks", "symbolic links"],
  ["maskedPaths", "masked paths"],
  ["readonlyPaths", "read-only paths"],
] as const satisfies readonly (readonly [keyof Contribution, string])[];
