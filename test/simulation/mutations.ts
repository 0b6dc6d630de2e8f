import type { FaultWeights } from "./faults.js";

/**
 * Rules that a run can break on purpose, to show that the simulator would notice. Each is a mistake that somebody could make.
 *
 * - `no-lease-check`: a master relies on being told that it no longer leads, instead of checking its lease.
 * - `no-fencing`: the registry's store accepts writes of masters that have been deposed.
 * - `write-later`: the disk reports a write before it is done.
 * - `no-disk-errors`: the disk reports success for writes that failed.
 * - `no-recovery`: an agent neither resumes nor ends what is running when it starts.
 * - `double-delivery`: launches arrive twice.
 * - `forgotten-agents`: a new leader does not know which agents are deactivated.
 * - `forgotten-plans`: a new leader does not know which machines are in maintenance, or the limits of roles.
 * - `no-limits`: limits that operators set do not reach the allocator.
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

/** The faults that reveal a mutation; the others need all of them. */
export const MUTATION_FAULTS: Readonly<Partial<Record<Mutation, FaultWeights>>> = {
  "no-lease-check": { pause: 3, masterCrash: 1 },
  "no-fencing": { leaderCut: 3, agentCrash: 1 },
  "forgotten-agents": { masterCrash: 1 },
  "forgotten-plans": { masterCrash: 1 },
  "no-disk-errors": { badDisk: 3, agentCrash: 4 },
  "write-later": { agentCrash: 3, slowDisk: 3 },
};
