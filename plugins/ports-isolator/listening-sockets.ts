import { readFile } from "node:fs/promises";
import { errnoOf } from "../../sdk/errors/index.js";

/** The state TCP_LISTEN of linux/tcp_states.h. */
const LISTEN = "0A";

/** The TCP sockets that listen in the agent's network: inode -> port. */
export async function listeningSockets(): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) addListening(await readTable(table), found);
  return found;
}

/** @param table text of /proc/net/tcp, see proc(5): slot, local address, remote address, state, ..., inode at the tenth place */
export function addListening(table: string, found: Map<string, number>): void {
  for (const line of table.split("\n").slice(1)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    // Sockets that the kernel does not tell the inode of have 0.
    if (state !== LISTEN || local === undefined || inode === undefined || inode === "0") continue;
    found.set(inode, Number.parseInt(local.slice(local.lastIndexOf(":") + 1), 16));
  }
}

async function readTable(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    // A kernel without IPv6.
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  }
}
