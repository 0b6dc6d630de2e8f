import type { FaultWeights } from "./faults.js";

/**
 * Rules that a run can break on purpose, to show that the simulation would find out. Each is a mistake that somebody could make.
 *
 * - `no-lease-check`: a master trusts that it is told when it no longer leads, instead of looking at its lease.
 * - `no-fencing`: the store of the registry takes writes of masters that have been deposed.
 * - `write-later`: the disk says that something is written before it is.
 * - `no-disk-errors`: the disk says that something is written that it could not write.
 * - `no-recovery`: an agent does not take back, or end, what runs when it starts.
 * - `double-delivery`: orders to launch a task arrive twice.
 * - `forgotten-agents`: a master that takes over does not know which agents are deactivated.
 * - `forgotten-plans`: a master that takes over does not know which machines are in maintenance, and which limits roles have.
 * - `no-limits`: what operators set as limits of roles does not come to the allocator.
 */
export const MUTATIONS = [
  "no-lease-check",
  "no-fencing",
  "write-later",
  "no-disk-errors",
  "no-recovery",
  "double-delivery",
  "forgotten-agents",
  "forgotten-plans",
  "no-limits",
] as const;

export type Mutation = (typeof MUTATIONS)[number];

/** The faults in which a mistake shows; all for the others. */
export const MUTATION_FAULTS: Readonly<Partial<Record<Mutation, FaultWeights>>> = {
  "no-lease-check": { pause: 3, masterCrash: 1 },
  "no-fencing": { leaderCut: 3, agentCrash: 1 },
  "forgotten-agents": { masterCrash: 1 },
  "forgotten-plans": { masterCrash: 1 },
  "no-disk-errors": { badDisk: 3, agentCrash: 4 },
  "write-later": { agentCrash: 3, slowDisk: 3 },
};
