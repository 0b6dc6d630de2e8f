/** Loaded into a daemon before its program: on SIGUSR2 writes the longest stall of its event loop so far, in milliseconds, and begins anew. */
import { writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 1;
const file = process.env.STALL_FILE;
if (file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.on("SIGUSR2", () => {
    writeFileSync(file, String(Math.max(0, delay.max / 1e6 - RESOLUTION_MS)));
    delay.reset();
  });
}
