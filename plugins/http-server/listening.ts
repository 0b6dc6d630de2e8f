import type { Server } from "node:net";
import type { Logger } from "../../sdk/contracts/logger.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";

/**
 * Begins to listen; what goes wrong later is logged.
 *
 * @throws TepuiError TEPUI_LISTEN_FAILED
 */
export function listen(
  listener: Server,
  { ip, port, backlog }: { readonly ip: string; readonly port: number; readonly backlog: number },
  logger: Logger,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const detail = whyNot(error, `${ip}:${port}`);
      reject(new TepuiError("TEPUI_LISTEN_FAILED", { detail, cause: error }));
    };
    listener.once("error", failed);
    listener.listen({ host: ip, port, backlog }, () => {
      listener.removeListener("error", failed);
      listener.on("error", (error) => logger.error({ err: error }, "Cannot accept connections"));
      resolve();
    });
  });
}

function whyNot(error: NodeJS.ErrnoException, address: string): string {
  switch (error.code) {
    case "EADDRINUSE":
      return `${address} is taken by another process; stop it, or choose another port with --port`;
    case "EACCES":
      return `${address} may not be used without privileges; choose a port above 1023 with --port`;
    case "EADDRNOTAVAIL":
      return `${address} is no address of this machine; choose one with --ip`;
    default:
      return `${address}: ${messageOf(error)}`;
  }
}
