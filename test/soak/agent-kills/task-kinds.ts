import { boxedTasks, checkedTasks, commandTasks, dockerTasks, endedTasks } from "./command-tasks.js";
import { executorTasks } from "./executor-tasks.js";
import { podTasks } from "./pod-tasks.js";
import type { SoakKind } from "./soak-launch.js";

/** The kinds of tasks. Each call returns a new instance: executors receive tasks one after another. */
const KINDS = {
  command: () => commandTasks,
  ended: () => endedTasks,
  checked: () => checkedTasks,
  pod: () => podTasks,
  v1: () => executorTasks("v1"),
  v0: () => executorTasks("v0"),
  boxed: () => boxedTasks,
  docker: () => dockerTasks,
} as const satisfies Readonly<Record<string, () => SoakKind>>;

export type KindName = keyof typeof KINDS;

export const KIND_NAMES = Object.keys(KINDS) as readonly KindName[];

export const isKind = (name: string): name is KindName => Object.hasOwn(KINDS, name);

export const kindsOf = (names: readonly KindName[]): { name: KindName; kind: SoakKind }[] =>
  names.map((name) => ({ name, kind: KINDS[name]() }));
