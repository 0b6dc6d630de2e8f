import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, realpath, stat, writeFile } from "node:fs/promises";
import { promisify } from "node:util";

const execute = promisify(execFile);

/**
 * Keeps the namespace of a process at a path, so that it lives on when the process has ended, for DEL. Throws when the process is in
 * the agent's own namespace: plugins would change the host.
 */
export async function holdNamespace(pid: number, path: string): Promise<void> {
  const source = `/proc/${pid}/ns/net`;
  const [theirs, ours] = await Promise.all([stat(source), stat("/proc/self/ns/net")]);
  if (theirs.ino === ours.ino)
    throw new Error("the launcher gave the container no network namespace; use --launcher=linux");
  await writeFile(path, "");
  await run("mount", ["--bind", source, path]);
}

/** Undoes `holdNamespace`; fine where nothing is held. */
export async function releaseNamespace(path: string): Promise<void> {
  if (await isNamespace(path)) await run("umount", [path]);
}

/** False after the host was started anew: then there is only the empty file. */
export async function isNamespace(path: string): Promise<boolean> {
  try {
    const [there, any] = await Promise.all([stat(path), stat("/proc/self/ns/net")]);
    return there.dev === any.dev;
  } catch {
    return false;
  }
}

/** For a host without the `loopback` plugin. */
export async function bringUpLoopback(namespace: string): Promise<void> {
  await run("nsenter", [`--net=${namespace}`, "ip", "link", "set", "dev", "lo", "up"]);
}

/**
 * Makes a directory a shared mount of its own. The mount namespace of every container begins with a copy of the agent's mounts, and a
 * copied namespace mount would keep another container's network alive; from a shared one the end of a mount spreads to the copies.
 */
export async function shareMount(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o755 });
  const real = await realpath(path);
  const shared = await isSharedMount(real);
  if (shared === true) return;
  if (shared === undefined) await run("mount", ["--bind", real, real]);
  await run("mount", ["--make-private", real]);
  await run("mount", ["--make-shared", real]);
}

/** Undoes `shareMount` where no container is left that needs it. */
export async function unshareMount(path: string): Promise<void> {
  const real = await realpath(path);
  if ((await readdir(real)).length > 0) return;
  if ((await isSharedMount(real)) !== undefined) await run("umount", [real]);
}

/** Undefined where nothing is mounted. */
async function isSharedMount(path: string): Promise<boolean | undefined> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  // The last one covers those before. See proc(5): id, parent, device, root, mount point, options, tags up to a dash.
  const line = table.split("\n").findLast((entry) => unquoted(entry.split(" ")[4] ?? "") === path);
  if (line === undefined) return undefined;
  const fields = line.split(" ");
  return fields.slice(6, fields.indexOf("-", 6)).some((tag) => tag.startsWith("shared:"));
}

const unquoted = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

async function run(program: string, args: readonly string[]): Promise<void> {
  try {
    await execute(program, args);
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    const why = said || (error instanceof Error ? error.message : String(error));
    throw new Error(`'${[program, ...args].join(" ")}' failed: ${why}`, { cause: error });
  }
}
