import { spawn } from "node:child_process";
import { copyFile, open } from "node:fs/promises";
import type { Fetcher, FetchRequest } from "../../sdk/contracts/fetcher.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";

/** Copies a file of this host, with the rights of the user that it is for. */
export class FileFetcher implements Fetcher {
  async fetch(request: FetchRequest): Promise<void> {
    try {
      request.signal.throwIfAborted();
      if (request.account === undefined) await copyFile(request.uri, request.destination);
      else await copyAs(request, request.account);
    } catch (error) {
      throw new TepuiError("TEPUI_FETCH_FAILED", {
        detail: `'${request.uri}': ${reason(error)}`,
        cause: error,
      });
    }
  }
}

/** For whoever reads the status of the task; the places in between are the agent's affair. */
function reason(error: unknown): string {
  switch (error instanceof Error && "code" in error ? error.code : undefined) {
    case "ENOENT":
      return "there is no such file";
    case "EACCES":
      return "permission denied";
    case "EISDIR":
      return "it is a directory, not a file";
    default:
      return messageOf(error);
  }
}

/** The other user reads, the agent writes: neither needs the other's rights. */
async function copyAs(
  { uri, destination, signal }: FetchRequest,
  account: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const output = await open(destination, "w", 0o600);
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn("cat", ["--", uri], {
        ...account,
        cwd: "/",
        signal,
        stdio: ["ignore", output.fd, "pipe"],
      });
      let errors = "";
      child.stderr?.on("data", (text: Buffer) => {
        if (errors.length < 1000) errors += text.toString();
      });
      child.once("error", reject);
      child.once("close", (code) =>
        code === 0 ? resolve() : reject(new Error(errors.trim() || `status ${code}`)),
      );
    });
  } finally {
    await output.close();
  }
}
