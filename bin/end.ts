import { setTimeout as sleep } from "node:timers/promises";

/** What is under way with files has so long to come to its end, in milliseconds. */
const LAST_FILES_MS = 3000;

/** Node's names for it. */
const FILES = /^FSReq/;

export interface ProcessEnd {
  readonly code: number;
  /** Something in this process is known not to come to its end. */
  readonly stuck: boolean;
  /** As messages show it. */
  readonly program: string;
}

/**
 * Ends this process. `process.exit` waits for what its threads do: for ever, where a disk does not answer. Then nothing but a SIGKILL is
 * left.
 */
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
