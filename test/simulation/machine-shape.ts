import type { ReconfigurationPolicy } from "../../core/agent/recovery/compatibility.js";
import { type Attribute, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { containsQuantities, type Quantities, Resources } from "../../sdk/resources/index.js";
import { resourceList } from "../../sdk/scheduler/index.js";
import type { Dice } from "./dice.js";

interface Flags {
  readonly resources: string;
  readonly rack: number;
}

/** What an agent is told to say of its machine, now and before. */
export class MachineShape {
  /** How much it may change. */
  readonly policy: ReconfigurationPolicy;
  private flags: Flags;
  /** With which it came up the last time, while it is not known whether it does with those that it has. */
  private before: Flags | undefined;
  private readonly all: Quantities[] = [];

  /** @param varied whether it may have other policies than Mesos's default, and attributes */
  constructor(
    private readonly dice: Dice,
    private readonly varied: boolean,
  ) {
    this.policy = varied ? dice.weighted({ equal: 2, additive: 1, any: 2 }) : "equal";
    const [cpus, mem] = [2 + dice.below(7), 1024 * (1 + dice.below(8))];
    this.flags = this.note({ resources: `cpus:${cpus};mem:${mem};disk:4096`, rack: 1 });
  }

  get resources(): string {
    return this.flags.resources;
  }

  get attributes(): Attribute[] {
    if (!this.varied) return [];
    return [{ name: "rack", type: Value_Type.SCALAR, scalar: { value: this.flags.rack } }];
  }

  get text(): string {
    return `${this.flags.resources} in rack ${this.flags.rack} (${this.policy})`;
  }

  /** Becomes something that may or may not be allowed. */
  change(): void {
    const { dice } = this;
    this.before ??= this.flags;
    const now = Resources.of(resourceList(this.flags.resources)).quantities();
    const more = (name: string, unit: number): number => {
      const value = (now.get(name) ?? 0) / 1000;
      const least = dice.chance(0.5) ? 0 : -Math.floor(value / unit / 2);
      return Math.max(unit, value + unit * (least + dice.below(4)));
    };
    const amounts = [`cpus:${more("cpus", 1)}`, `mem:${more("mem", 512)}`, `disk:${more("disk", 512)}`];
    const rack = this.policy === "any" || dice.chance(0.1) ? 1 + dice.below(3) : this.flags.rack;
    this.flags = this.note({ resources: amounts.join(";"), rack });
  }

  /** It came up like that. */
  taken(): void {
    this.before = undefined;
  }

  /** It is again what it was the last time. False: it is. */
  changeBack(): boolean {
    if (this.before === undefined) return false;
    this.flags = this.before;
    this.before = undefined;
    return true;
  }

  /** Whether it is so much, or was. */
  wasEver(amounts: Quantities): boolean {
    return this.all.some((one) => containsQuantities(one, amounts) && containsQuantities(amounts, one));
  }

  /** Whether it had so much room at some time, also each kind at another one. */
  hadRoom(amounts: Quantities): boolean {
    return [...amounts].every(([name, amount]) => this.all.some((one) => (one.get(name) ?? 0) >= amount));
  }

  /** It has less of something than it had, so that more may be in use than there is. */
  get shrank(): boolean {
    return !this.all.every((one) => containsQuantities(this.all.at(-1)!, one));
  }

  private note(flags: Flags): Flags {
    this.all.push(Resources.of(resourceList(flags.resources)).quantities());
    return flags;
  }
}
