import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { ContainerIo, ContainerOutput } from "../../sdk/contracts/container-logger.js";

/** Where one stream of a container's output is copied to. */
export interface LogOutput {
  /** Bytes that it holds; undefined where that cannot be known. */
  size(): Promise<number | undefined>;
  write(data: Buffer): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

export interface LogOutputs {
  readonly stdout: LogOutput;
  readonly stderr: LogOutput;
}

/** Rejects when one of them cannot be opened, or is something else than a file. */
export async function openLogOutputs(io: ContainerIo): Promise<LogOutputs> {
  const stdout = await openLogOutput(io.stdout);
  try {
    return { stdout, stderr: await openLogOutput(io.stderr) };
  } catch (error) {
    await stdout.close();
    throw error;
  }
}

const openLogOutput = (output: ContainerOutput): Promise<LogOutput> =>
  typeof output === "string" ? openFile(output) : startProgram(output.command);

/** The sandbox is the task's: a link there must not lead the agent to a file that the task has no right to. */
const FLAGS =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

async function openFile(path: string): Promise<LogOutput> {
  const file = await open(path, FLAGS, 0o644);
  try {
    const [{ uid, gid, size }, owner] = await Promise.all([checked(file, path), stat(dirname(path))]);
    // Made by this call: the sandbox's user is to own it like all that is there.
    if (size === 0 && process.geteuid?.() === 0 && (uid !== owner.uid || gid !== owner.gid)) {
      await file.chown(owner.uid, owner.gid);
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  let closed: Promise<void> | undefined;
  return {
    size: async () => (await file.stat()).size,
    write: (data) => file.appendFile(data),
    close: () => {
      closed ??= file.close();
      return closed;
    },
  };
}

async function checked(file: FileHandle, path: string) {
  const found = await file.stat();
  if (!found.isFile()) throw new Error(`${path} is not a file`);
  return found;
}

async function startProgram([program, ...argv]: readonly string[]): Promise<LogOutput> {
  if (program === undefined) throw new Error("the container logger names no program");
  const child: ChildProcess = spawn(program, argv, {
    cwd: "/",
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  const input = child.stdin!;
  let failure: Error | undefined;
  input.on("error", (error) => {
    failure = error;
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  child.on("error", () => undefined);
  return {
    size: async () => undefined,
    write: (data) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure);
        input.write(data, (error) => (error ? reject(error) : resolve()));
      }),
    close: async () => {
      input.end();
      child.unref();
    },
  };
}
