import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../../sdk/contracts/random.js";
import type { Victim } from "./victims.js";

/** Processes of one kind; one at a time is chosen. */
export interface VictimGroup {
  readonly victims: readonly Victim[];
  /** How many may be away at once. */
  readonly atOnce: number;
}

const EVERY_MS = { least: 500, most: 3500 };
const DEAD_AT_MOST_MS = 4000;
const FROZEN_AT_MOST_MS = 8000;

/** Kills and freezes one process after another, and brings each back after a while. */
export class Havoc {
  private readonly away = new Map<Victim, Promise<void>>();
  private readonly began = performance.now();

  /** @param note receives a description of every action */
  constructor(
    private readonly groups: readonly VictimGroup[],
    private readonly random: Random,
    private readonly note: (text: string) => void,
  ) {}

  /** Resolves when the time is over and everything is back. Rejects if something does not come back. */
  async wreak(milliseconds: number): Promise<void> {
    while (performance.now() - this.began < milliseconds) {
      await sleep(this.between(EVERY_MS.least, EVERY_MS.most));
      this.strike();
    }
    await Promise.all(this.away.values());
  }

  private strike(): void {
    const group = this.groups[Math.floor(this.random.next() * this.groups.length)]!;
    const here = group.victims.filter((victim) => !this.away.has(victim));
    const victim = here[Math.floor(this.random.next() * here.length)];
    const deadly = this.random.next() < 0.5;
    const wait = this.between(0, deadly ? DEAD_AT_MOST_MS : FROZEN_AT_MOST_MS);
    if (victim === undefined || group.victims.length - here.length >= group.atOnce) return;
    const back = (deadly ? this.kill(victim, wait) : this.freeze(victim, wait)).then(() => {
      this.away.delete(victim);
    });
    // Awaited at the end, together with its error.
    back.catch(() => undefined);
    this.away.set(victim, back);
  }

  private async kill(victim: Victim, wait: number): Promise<void> {
    this.say(`kill ${victim.name} for ${Math.round(wait)} ms`);
    await victim.kill();
    await sleep(wait);
    await victim.revive();
    this.say(`${victim.name} is up`);
  }

  private async freeze(victim: Victim, wait: number): Promise<void> {
    this.say(`freeze ${victim.name} for ${Math.round(wait)} ms`);
    victim.freeze();
    await sleep(wait);
    victim.thaw();
    this.say(`${victim.name} goes on`);
  }

  private say(text: string): void {
    this.note(`${((performance.now() - this.began) / 1000).toFixed(1)} s: ${text}`);
  }

  private between(least: number, most: number): number {
    return least + this.random.next() * (most - least);
  }
}
