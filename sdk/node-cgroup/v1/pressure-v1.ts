import { join } from "node:path";
import type { MemoryPressure, MemoryPressureCount } from "../controls.js";
import type { Helper, Watch } from "../helper/helper.js";

const LEVELS = ["low", "medium", "critical"] as const;

/** A count that can no longer be kept stays as it is: it only ever grows, and readers take the difference. */
export class PressureCountV1 implements MemoryPressureCount {
  readonly #counts = { low: 0, medium: 0, critical: 0 };
  readonly #watches: readonly Watch[];
  readonly ready: Promise<void>;

  constructor(directory: string, helper: Helper) {
    const control = join(directory, "memory.pressure_level");
    const eventControl = join(directory, "cgroup.event_control");
    this.#watches = LEVELS.map((argument) =>
      helper.watch(
        { control, eventControl, argument },
        {
          happened: (times) => {
            this.#counts[argument] += times;
          },
          lost: () => undefined,
        },
      ),
    );
    this.ready = Promise.all(this.#watches.map((watch) => watch.ready)).then(() => undefined);
    this.ready.catch(() => undefined);
  }

  read(): MemoryPressure {
    return { ...this.#counts };
  }

  [Symbol.dispose](): void {
    for (const watch of this.#watches) watch[Symbol.dispose]();
  }
}
