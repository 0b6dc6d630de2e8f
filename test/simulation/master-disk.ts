import type { SegmentFiles } from "../../plugins/embedded-registry/embedded-registry.js";
import type { SimulatedProcess } from "./process.js";
import type { World } from "./world.js";

interface Segment {
  readonly name: string;
  readonly content: Buffer;
}

/** A master's disk with the registry on it: the newest segment, which outlives the master. */
export class MasterDisk {
  segment: Segment | undefined;
  /** Mean duration of a change, in milliseconds. */
  delay = 1;
  /** Probability that a change fails. */
  refusal = 0;
  /** Probability that an attempt to read fails. */
  unreadable = 0;

  constructor(readonly world: World) {}

  /** Ends all trouble. */
  mend(): void {
    this.delay = 1;
    this.refusal = 0;
    this.unreadable = 0;
  }
}

/** A process's access to its segments: a change takes time, may fail, and is made in part if the process dies during it. */
export class SimulatedSegments implements SegmentFiles {
  /** What the change in progress leaves behind if the process dies. */
  private half: (() => void) | undefined;

  constructor(
    private readonly disk: MasterDisk,
    private readonly process: SimulatedProcess,
  ) {}

  async create(): Promise<void> {}

  async close(): Promise<void> {}

  async newest(): Promise<Segment | undefined> {
    await this.after();
    const { segment, unreadable, world } = this.disk;
    if (unreadable > 0 && world.dice.chance(unreadable)) throw new Error("EIO: i/o error");
    return segment;
  }

  /** Atomic: the whole segment exists, or nothing of it. */
  async begin(sequence: bigint, content: Buffer): Promise<void> {
    const name = `${sequence.toString().padStart(20, "0")}.segment`;
    const make = (): void => {
      this.disk.segment = { name, content: Buffer.from(content) };
    };
    const maybe = (): void => {
      if (this.disk.world.dice.chance(0.5)) make();
    };
    await this.change(make, maybe);
  }

  async append(frame: Buffer): Promise<void> {
    const put = (data: Buffer): void => {
      const { segment } = this.disk;
      if (segment === undefined) throw new Error("no segment is open");
      this.disk.segment = { ...segment, content: Buffer.concat([segment.content, data]) };
    };
    await this.change(
      () => put(frame),
      () => put(frame.subarray(0, this.disk.world.dice.below(frame.length + 1))),
    );
  }

  /** The process dies. */
  crash(): void {
    this.half?.();
    this.half = undefined;
  }

  private async change(whole: () => void, half: () => void): Promise<void> {
    this.half = half;
    await this.after();
    this.half = undefined;
    const { refusal, world } = this.disk;
    if (refusal > 0 && world.dice.chance(refusal)) {
      half();
      throw new Error("EIO: i/o error");
    }
    whole();
  }

  private after(): Promise<void> {
    const { dice } = this.disk.world;
    return new Promise((resolve) => this.process.input(0.05 + dice.exponential(this.disk.delay), resolve));
  }
}
