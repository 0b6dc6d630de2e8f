import type { World } from "../world.js";

/** Who led when: terms are numbered, and only the latest leader may act. */
export class Terms {
  latest = 0;
  /** The latest term of each run of a master. */
  private readonly of = new Map<string, number>();
  /** The latest term in which the registry was written. */
  private writer = 0;

  constructor(private readonly world: World) {}

  begin(name: string): number {
    this.latest++;
    this.of.set(name, this.latest);
    this.world.note(`${name} begins term ${this.latest}`);
    return this.latest;
  }

  /** The ensemble has accepted a registry write of this master. */
  wrote(name: string): void {
    const term = this.of.get(name) ?? 0;
    if (term < this.writer) {
      const detail = `${name} wrote the registry in term ${term}, after it was written in term ${this.writer}`;
      this.world.violate("a deposed master cannot write the registry", detail);
    }
    this.writer = Math.max(this.writer, term);
  }
}
