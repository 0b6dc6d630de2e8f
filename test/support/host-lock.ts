import { once } from "node:events";
import { createServer } from "node:net";
import type { Context } from "mocha";
import { eventually } from "./eventually.js";

const LIMIT_MS = 300_000;

/**
 * Holds something of which the host has one only, such as its packet filter, for one test at a time: test files run side by side. The time
 * of the hook or test that waits begins when it has it. Resolves to what gives it back; the kernel takes it from a process that dies.
 */
export async function lockHost(test: Context, name: string): Promise<() => void> {
  const own = test.timeout();
  const began = performance.now();
  test.timeout(LIMIT_MS + own);
  const held = await eventually(async () => {
    // A name that only one process can have, which is no file.
    const server = createServer().listen(`\0tepui-test-${name}`);
    await once(server, "listening");
    return server;
  }, LIMIT_MS);
  held.unref();
  // Mocha measures from the beginning.
  test.timeout(performance.now() - began + own);
  return () => void held.close();
}
