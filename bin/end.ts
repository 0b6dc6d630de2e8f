import { setTimeout as sleep } from "node:timers/promises";

/** What is under way with files has so long to come to its end, in milliseconds. */
const LAST_FILES_MS = 3000;

/** Node's names for it. */
const FILES = /^FSReq/;

/**
 * Ends this process. `process.exit` waits for what its threads do with files: for ever, where a disk does not answer. Then nothing but a
 * SIGKILL is left.
 */
export async function endProcess(code: number | undefined, program: string): Promise<never> {
  const late = performance.now() + LAST_FILES_MS;
  while (process.getActiveResourcesInfo().some((name) => FILES.test(name))) {
    if (performance.now() > late) {
      process.stderr.write(`${program}: a file system does not answer; ended without waiting for it\n`);
      process.kill(process.pid, "SIGKILL");
    }
    await sleep(20);
  }
  process.exit(code);
}
