import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  constants as access,
  accessSync,
  appendFileSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { constants as os } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { messageOf } from "../../../sdk/errors/index.js";
import { isAlive, processTree, readProcessStat } from "../../../sdk/proc/index.js";
import { waitStatusOf } from "../shim/exit-record.js";
import { decodeLaunch, type LaunchCommand } from "../shim/protocol.js";
import { OutputReaders } from "./output-readers.js";

/**
 * The launcher's helper where there is no Perl: the same protocol, from one Node process that is the shim of all
 * containers. It outlives the agent as long as it has containers. It cannot adopt orphans, so those are found by group and
 * session, and a user's supplementary groups are not set. Limits and no_new_privs are set by programs of util-linux.
 */

/**
 * Waits to be let go, opens the output as the container's user, runs what prepares the container, becomes the command.
 * Arguments: output, errors, how many commands prepare, those, the command.
 */
const GATE = [
  "read -r go <&3 || exit 125",
  'exec 3<&- >>"$1" 2>>"$2"; exec 4>&-; shift 2',
  'n=$1; shift; while [ "$n" -gt 0 ]; do /bin/sh -c "$1" || exit 126; shift; n=$((n-1)); done',
  'exec "$@"',
].join("\n");

const gates = new Map<string, Writable>();
/** Ids of containers whose agent ended before it let their commands go. */
const forsaken = new Set<string>();
const children = new Set<ChildProcess>();
/** Those that end with the agent. */
const bound = new Set<ChildProcess>();
let agentGone = false;
const agent = process.ppid;
/** Known before the end of its pipe is read, which may be far behind: the next agent believes that nothing begins any more. */
const agentIsDead = (): boolean => process.ppid !== agent;

function tell(...words: readonly (string | number)[]): void {
  if (!agentGone) process.stdout.write(`${words.join(" ").replaceAll("\n", " ")}\n`);
}

/** One line at a time, each with one write: a reader sees whole lines. */
function record(path: string, ...words: readonly (string | number)[]): void {
  appendFileSync(path, `${words.join(" ").replaceAll("\n", " ")}\n`);
}

function launch(command: LaunchCommand): void {
  if (agentIsDead()) return;
  const { id } = command;
  const missing = programProblem(command);
  if (missing !== undefined) {
    tell("F", id, missing);
    return;
  }
  if (command.groups.length > 0) {
    tell("F", id, "Failed to put the user into the groups of its volumes: that needs Perl (perl-base)");
    return;
  }
  if (command.switchboard !== undefined) {
    tell(
      "F",
      id,
      "Failed to give the container streams that can be attached to: that needs Perl (perl-base)",
    );
    return;
  }
  const account: { uid?: number; gid?: number } = command.user === undefined ? {} : accountOf(command.user);
  for (const path of command.cgroups) accessSync(join(path, "cgroup.procs"), access.W_OK);
  const readers = new OutputReaders(command, account.uid);
  const script = [
    GATE,
    "sh",
    readers.stdout,
    readers.stderr,
    String(command.before.length),
    ...command.before,
  ];
  const words = [...privileges(command), command.program, ...command.argv.slice(1)];
  const child = spawn("/bin/sh", ["-c", ...script, ...words], {
    ...account,
    cwd: command.workingDirectory,
    env: command.environment,
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  // The gate closes it as soon as the output is open.
  (child.stdio[4] as Readable | null)
    ?.on("error", () => undefined)
    .on("close", () => readers.leave())
    .resume();
  child.once("error", (error) => {
    record(command.record, "failed", error.message);
    tell("F", id, `Failed to start: ${error.message}`);
    tell("D", id);
  });
  const { pid } = child;
  if (pid === undefined) return;
  children.add(child);
  if (command.bound) bound.add(child);
  for (const path of command.cgroups) writeFileSync(join(path, "cgroup.procs"), String(pid));
  if (command.oomScoreAdjust !== undefined) {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(command.oomScoreAdjust));
  }
  const start = (of: number): number => readProcessStat(of)?.startTicks ?? 0;
  const processes = [process.pid, start(process.pid), pid, start(pid)];
  record(command.record, "started", "shared", ...processes);
  gates.set(id, child.stdio[3] as Writable);
  child.once("exit", (code, signal) => void ended(command, { child, code, signal }));
  tell("P", id, ...processes);
  if (!command.gated && !agentIsDead()) letGo(id);
}

async function ended(
  { id, record: path }: LaunchCommand,
  { child, code, signal }: { child: ChildProcess; code: number | null; signal: NodeJS.Signals | null },
): Promise<void> {
  gates.delete(id);
  const status = waitStatusOf({ code, signal: signal === null ? undefined : os.signals[signal] });
  if (forsaken.has(id)) record(path, "failed", "The agent ended before it let the command go");
  else record(path, "exited", status);
  tell("X", id, status);
  await killLeftovers(child.pid!);
  children.delete(child);
  bound.delete(child);
  tell("D", id);
  endWhenIdle();
}

async function killLeftovers(pid: number): Promise<void> {
  for (;;) {
    const left = (await processTree(pid, { groupsAndSessions: true })).filter(isAlive);
    if (left.length === 0) return;
    for (const { pid: one } of left) {
      try {
        process.kill(one, "SIGKILL");
      } catch {
        // It ended meanwhile; the next round sees.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It ended meanwhile; its exit is handled as any other.
  }
}

function programProblem({ program, environment }: LaunchCommand): string | undefined {
  const directories = program.includes("/") ? [""] : (environment.PATH ?? "/bin:/usr/bin").split(":");
  for (const directory of directories) {
    const path = directory === "" ? program : join(directory, program);
    try {
      accessSync(path, access.X_OK);
      if (!statSync(path).isDirectory()) return undefined;
    } catch {
      // Not in this directory.
    }
  }
  return `Failed to execute '${program}': No such file or directory`;
}

function privileges({ limits, noNewPrivileges }: LaunchCommand): string[] {
  const amount = (value: number | undefined): string => (value === undefined ? "unlimited" : String(value));
  return [
    ...(noNewPrivileges ? ["setpriv", "--no-new-privs"] : []),
    ...(limits.length > 0 ? ["prlimit"] : []),
    ...limits.map(({ name, soft, hard }) => `--${name}=${amount(soft)}:${amount(hard)}`),
  ];
}

function accountOf(user: string): { uid: number; gid: number } {
  const ask = (what: string): number => Number(execFileSync("id", [what, user], { encoding: "utf8" }));
  return { uid: ask("-u"), gid: ask("-g") };
}

function handle(fields: readonly string[]): void {
  const command = decodeLaunch(fields);
  if (command !== undefined) {
    try {
      launch(command);
    } catch (error) {
      tell("F", command.id, messageOf(error));
    }
    return;
  }
  const [type, of = ""] = fields;
  if (type === "G") letGo(of);
  else if (type === "C") clear(of);
}

function clear(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch (error) {
    process.stderr.write(`cannot remove '${path}': ${messageOf(error)}\n`);
  }
}

function letGo(id: string): void {
  const gate = gates.get(id);
  if (gate === undefined) return;
  gates.delete(id);
  tell("R", id);
  gate.on("error", () => undefined).end("go\n");
}

function endWhenIdle(): void {
  if (agentGone && children.size === 0) process.exit(0);
}

const O_CLOEXEC = 0o2000000;

/** Files that the agent inherited from whoever started it are not for tasks. Node closes its own at an exec. */
function closeInherited(): void {
  for (const fd of readdirSync("/proc/self/fdinfo").map(Number)) {
    if (fd <= 2) continue;
    try {
      const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"))?.[1];
      if (flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0) closeSync(fd);
    } catch {
      // That of the listing itself, which is closed by now.
    }
  }
}

closeInherited();
let buffer: Buffer = Buffer.alloc(0);
process.stdin.on("data", (chunk: Buffer) => {
  buffer = Buffer.concat([buffer, chunk]);
  for (;;) {
    const newline = buffer.indexOf(10);
    if (newline < 0) return;
    const end = newline + 1 + Number(buffer.toString("latin1", 0, newline));
    if (buffer.length < end) return;
    handle(buffer.toString("utf8", newline + 1, end).split("\0"));
    buffer = buffer.subarray(end);
  }
});
process.stdin.on("end", () => {
  agentGone = true;
  for (const child of bound) killGroup(child);
  // Containers that were not let go never run.
  for (const [id, gate] of gates) {
    forsaken.add(id);
    gate.on("error", () => undefined).destroy();
  }
  endWhenIdle();
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
process.stdout.on("error", () => undefined);
tell("H", 0);
