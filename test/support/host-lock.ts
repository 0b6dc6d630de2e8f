import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./eventually.js";

/**
 * Holds something of which the host has one only, such as its packet filter, for one test at a time: test files run side by side. Resolves to
 * what gives it back; that of a process which died is taken over.
 */
export async function lockHost(name: string, limitMs: number): Promise<() => void> {
  const file = join(tmpdir(), `tepui-test-${name}.lock`);
  await eventually(() => {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      return true;
    } catch {
      const owner = Number(readFileSync(file, "utf8"));
      if (owner > 0 && owner !== process.pid && !lives(owner)) rmSync(file, { force: true });
      return undefined;
    }
  }, limitMs);
  return () => rmSync(file, { force: true });
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
