import { once } from "node:events";
import type { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import type { Daemon } from "../../support/daemons.js";

const AWAY_AT_MOST_MS = 400;
const FROZEN_AT_MOST_MS = 1500;

/** The ways in which an agent goes away. Each resolves when its process has ended or continues. */
const DEATHS = {
  killed: (agent: Daemon) => agent.kill(),
  /** What `systemctl restart` does. */
  ended: async ({ process }: Daemon) => {
    const over = once(process, "exit");
    process.kill("SIGTERM");
    await over;
  },
  frozen: async ({ process }: Daemon, random: SeededRandom) => {
    process.kill("SIGSTOP");
    await pause(random.next() * FROZEN_AT_MOST_MS);
    process.kill("SIGCONT");
  },
  "killed while it was frozen": async (agent: Daemon, random: SeededRandom) => {
    agent.process.kill("SIGSTOP");
    await pause(random.next() * FROZEN_AT_MOST_MS);
    await agent.kill();
  },
} as const;

export type Death = keyof typeof DEATHS;

export function anyDeath(random: SeededRandom): Death {
  const chance = random.next();
  if (chance < 0.7) return "killed";
  if (chance < 0.85) return "ended";
  return chance < 0.95 ? "frozen" : "killed while it was frozen";
}

/** Takes an agent down in this way and brings it back after a while, in which `meanwhile` is called. */
export async function dieAndComeBack(
  agent: Daemon,
  death: Death,
  { random, meanwhile }: { readonly random: SeededRandom; readonly meanwhile: () => Promise<void> },
): Promise<Daemon> {
  await DEATHS[death](agent, random);
  if (death === "frozen") return agent;
  await meanwhile();
  await pause(random.next() * AWAY_AT_MOST_MS);
  return agent.restart();
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
