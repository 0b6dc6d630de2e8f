import type { ContainerLimitation } from "../contracts/isolator.js";

/** Whether a container has crossed a limit, and who waits to hear of it: what `Isolator.watch` takes. */
export class Limitation {
  private latest: ContainerLimitation | undefined;
  private waiting: (() => void)[] = [];

  get crossed(): boolean {
    return this.latest !== undefined;
  }

  cross(limitation: ContainerLimitation): void {
    this.latest = limitation;
    for (const tell of this.waiting.splice(0)) tell();
  }

  /** Resolves when one is crossed, or was; not once the signal is aborted. */
  watch(signal: AbortSignal): Promise<ContainerLimitation> {
    return new Promise((resolve) => {
      const tell = (): void => {
        if (!signal.aborted && this.latest !== undefined) resolve(this.latest);
      };
      this.waiting.push(tell);
      tell();
    });
  }
}
