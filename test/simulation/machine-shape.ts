import type { ReconfigurationPolicy } from "../../core/agent/recovery/compatibility.js";
import { type Attribute, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import { containsQuantities, type Quantities, Resources } from "../../sdk/resources/index.js";
import { resourceList } from "../../sdk/scheduler/index.js";
import type { Dice } from "./dice.js";

interface Flags {
  readonly resources: string;
  readonly rack: number;
}

/** The flags with which an agent describes its machine, now and before. */
export class MachineShape {
  /** How much they may change. */
  readonly policy: ReconfigurationPolicy;
  private flags: Flags;
  /** The flags of its last successful start, while it is unknown whether it starts with the current ones. */
  private before: Flags | undefined;
  private readonly all: Quantities[] = [];

  /** @param varied whether it may have attributes, and policies other than Mesos's default */
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

  /** Changes the flags in a way that may or may not be allowed. */
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

  /** It started with the current flags. */
  taken(): void {
    this.before = undefined;
  }

  /** Returns to the flags of the last start. False: these are the current ones. */
  changeBack(): boolean {
    if (this.before === undefined) return false;
    this.flags = this.before;
    this.before = undefined;
    return true;
  }

  /** Whether it has, or once had, exactly these amounts. */
  wasEver(amounts: Quantities): boolean {
    return this.all.some((one) => containsQuantities(one, amounts) && containsQuantities(amounts, one));
  }

  /** Whether it once had room for these amounts; each kind may have been available at a different time. */
  hadRoom(amounts: Quantities): boolean {
    return [...amounts].every(([name, amount]) => this.all.some((one) => (one.get(name) ?? 0) >= amount));
  }

  /** It has less of something than it once had, so that more may be in use than there is. */
  get shrank(): boolean {
    return !this.all.every((one) => containsQuantities(this.all.at(-1)!, one));
  }

  private note(flags: Flags): Flags {
    this.all.push(Resources.of(resourceList(flags.resources)).quantities());
    return flags;
  }
}
