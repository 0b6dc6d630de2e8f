import { closeSync, constants, openSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { basename, dirname } from "node:path";

/** Longest path of a unix socket's address, in bytes. */
const MAX_PATH_BYTES = 107;

/** Connects to a unix socket, however long its path is. */
export async function connect(path: string): Promise<Socket> {
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return connected(path);
  const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return await connected(`/proc/self/fd/${directory}/${basename(path)}`);
  } finally {
    closeSync(directory);
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
