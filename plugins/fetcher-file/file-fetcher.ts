import { spawn } from "node:child_process";
import { copyFile, open, stat } from "node:fs/promises";
import type { Fetcher, FetchRequest, FetchSource } from "../../sdk/contracts/fetcher.js";
import { errnoOf, messageOf, TepuiError } from "../../sdk/errors/index.js";

/** Copies a file of this host, with the rights of the user that it is for. */
export class FileFetcher implements Fetcher {
  fetch(request: FetchRequest): Promise<void> {
    return explained(request, async () => {
      if (request.account === undefined) await copyFile(request.uri, request.destination);
      else await copyAs(request, request.account);
    });
  }

  size(source: FetchSource): Promise<number> {
    return explained(source, () =>
      source.account === undefined ? sizeOf(source) : sizeAs(source, source.account),
    );
  }
}

async function explained<T>({ uri, signal }: FetchSource, action: () => Promise<T>): Promise<T> {
  try {
    signal.throwIfAborted();
    return await action();
  } catch (error) {
    throw new TepuiError("TEPUI_FETCH_FAILED", { detail: `'${uri}': ${reason(error)}`, cause: error });
  }
}

async function sizeOf({ uri }: FetchSource): Promise<number> {
  const found = await stat(uri);
  if (!found.isFile()) throw new Error("it is not a file");
  return found.size;
}

/** For whoever reads the status of the task; the places in between are the agent's affair. */
function reason(error: unknown): string {
  switch (errnoOf(error)) {
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

interface As {
  readonly uid: number;
  readonly gid: number;
}

async function sizeAs(source: FetchSource, account: As): Promise<number> {
  let size = "";
  // Whoever may not read a file is not told its size either.
  const script =
    'test -f "$1" && test -r "$1" && exec stat -L -c %s -- "$1"; echo "it is not a file that the user can read" >&2; exit 1';
  await runAs(account, {
    command: ["sh", "-c", script, "sh", source.uri],
    signal: source.signal,
    output: (text) => {
      size += text;
    },
  });
  return Number(size);
}

/** The other user reads, the agent writes: neither needs the other's rights. */
async function copyAs({ uri, destination, signal }: FetchRequest, account: As): Promise<void> {
  const output = await open(destination, "w", 0o600);
  try {
    await runAs(account, { command: ["cat", "--", uri], signal, output: output.fd });
  } finally {
    await output.close();
  }
}

function runAs(
  account: As,
  {
    command: [program, ...args],
    signal,
    output,
  }: {
    command: readonly [string, ...string[]];
    signal: AbortSignal;
    output: number | ((text: string) => void);
  },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      uid: account.uid,
      gid: account.gid,
      cwd: "/",
      signal,
      stdio: ["ignore", typeof output === "number" ? output : "pipe", "pipe"],
    });
    let errors = "";
    child.stderr?.on("data", (text: Buffer) => {
      if (errors.length < 1000) errors += text.toString();
    });
    if (typeof output !== "number") child.stdout?.on("data", (text: Buffer) => output(text.toString()));
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new Error(errors.trim() || `status ${code}`)),
    );
  });
}
