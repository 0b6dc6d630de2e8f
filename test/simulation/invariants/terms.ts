import type { World } from "../world.js";

/** Who led when: each term has a number, and only the latest may act. */
export class Terms {
  latest = 0;

  constructor(private readonly world: World) {}

  begin(name: string): number {
    this.latest++;
    this.world.note(`${name} begins term ${this.latest}`);
    return this.latest;
  }
}
