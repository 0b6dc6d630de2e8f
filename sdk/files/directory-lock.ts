import { stat } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { platform } from "node:os";

/**
 * Keeps a second process of this machine out of a directory. The lock is a socket in Linux's abstract namespace, named after
 * the directory's device and inode: the kernel takes it back when the process ends, however it ends, so it is never stale.
 * Elsewhere there is no such thing, and no lock.
 */
export class DirectoryLock {
  private constructor(private readonly server: Server | undefined) {}

  /**
   * Rejects with an Error when another process holds it.
   *
   * @param use locks of different uses do not exclude each other
   */
  static async take(path: string, use = ""): Promise<DirectoryLock> {
    if (platform() !== "linux") return new DirectoryLock(undefined);
    const { dev, ino } = await stat(path, { bigint: true });
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) =>
        reject(
          error.code === "EADDRINUSE"
            ? new Error(`another process uses ${path}; stop it, or choose another directory`)
            : error,
        ),
      );
      server.listen({ path: `\0tepui-directory-${dev}-${ino}${use === "" ? "" : `-${use}`}` }, resolve);
    });
    server.unref();
    return new DirectoryLock(server);
  }

  async release(): Promise<void> {
    const { server } = this;
    if (server?.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
