import type { ContainerLimitation } from "../../sdk/contracts/isolator.js";

/** Whether a container has crossed a limit, and who waits to hear of it. */
export class Limitation {
  private crossed: ContainerLimitation | undefined;
  private waiting: (() => void)[] = [];

  cross(limitation: ContainerLimitation): void {
    this.crossed = limitation;
    for (const tell of this.waiting.splice(0)) tell();
  }

  /** Resolves when one is crossed, or was; not once the signal is aborted. */
  watch(signal: AbortSignal): Promise<ContainerLimitation> {
    return new Promise((resolve) => {
      const tell = (): void => {
        if (!signal.aborted && this.crossed !== undefined) resolve(this.crossed);
      };
      this.waiting.push(tell);
      tell();
    });
  }
}
