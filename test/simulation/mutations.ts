/**
 * Rules that a run can break on purpose, to show that the simulation would find out. Each is a mistake that somebody could make.
 *
 * - `no-lease-check`: a master trusts that it is told when it no longer leads, instead of looking at its lease.
 * - `no-fencing`: the store of the registry takes writes of masters that have been deposed.
 * - `write-later`: the disk says that something is written before it is.
 * - `no-recovery`: an agent does not take back, or end, what runs when it starts.
 * - `double-delivery`: orders to launch a task arrive twice.
 */
export const MUTATIONS = [
  "no-lease-check",
  "no-fencing",
  "write-later",
  "no-recovery",
  "double-delivery",
] as const;

export type Mutation = (typeof MUTATIONS)[number];
