import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds that pending file operations get to finish. */
const LAST_FILES_MS = 3000;

/** Node's names for such operations. */
const FILES = /^FSReq/;

export interface ProcessEnd {
  readonly code: number;
  /** Something in this process is known to hang. */
  readonly stuck: boolean;
  /** The program's name in messages. */
  readonly program: string;
}

/** Ends this process. `process.exit` waits for Node's threads, which is forever if a disk does not answer; then only SIGKILL is left. */
export async function endProcess({ code, stuck, program }: ProcessEnd): Promise<never> {
  const late = performance.now() + LAST_FILES_MS;
  const busy = () => process.getActiveResourcesInfo().some((name) => FILES.test(name));
  while (!stuck && busy() && performance.now() < late) await sleep(20);
  if (stuck || busy()) {
    process.stderr.write(`${program}: something does not come to its end; killing this process\n`);
    process.kill(process.pid, "SIGKILL");
  }
  process.exit(code);
}
