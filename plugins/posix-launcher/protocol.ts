/**
 * What the launcher and its helper say to each other.
 *
 * Commands go as frames, `<bytes>\n<fields separated by NUL>` (no argument, path or variable can hold a NUL):
 * `L` launches (fields of `LaunchCommand`, lists preceded by their length), `G` lets the command of a container go, `C` removes
 * a record.
 *
 * Events come as lines: `H <reaps orphans>` at the start; then for each container `P <id> <shim pid> <its start> <pid> <its start>` when
 * its process waits to be let go, `R <id>` when it became the command, `F <id> <text>` when it could not, `X <id> <wait status>` when
 * the command ended and that is recorded, `D <id>` when nothing of the container is left.
 */
export interface LaunchCommand {
  /** Wait for `G` before the command. */
  readonly gated: boolean;
  /** End with the helper, that is, with the agent. */
  readonly bound: boolean;
  readonly id: string;
  /** File for the processes and their end. */
  readonly record: string;
  readonly workingDirectory: string;
  /** Name or number; empty for the helper's own. */
  readonly user: string;
  readonly stdout: string;
  readonly stderr: string;
  /** Looked up in the environment's PATH when it has no slash. */
  readonly program: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Directories of cgroups to join. */
  readonly cgroups: readonly string[];
  /** Shell commands to run before the command, in its place. */
  readonly before: readonly string[];
}

export type ShimEvent =
  | { readonly type: "ready"; readonly reapsOrphans: boolean }
  | {
      readonly type: "prepared";
      readonly id: string;
      readonly shimPid: number;
      readonly shimStart: number;
      readonly pid: number;
      readonly start: number;
    }
  | { readonly type: "running"; readonly id: string }
  | { readonly type: "failed"; readonly id: string; readonly message: string }
  | { readonly type: "exited"; readonly id: string; readonly status: number }
  | { readonly type: "gone"; readonly id: string };

export function encodeLaunch(command: LaunchCommand): Buffer {
  const environment = Object.entries(command.environment).flat();
  return frame([
    "L",
    command.gated ? "1" : "",
    command.bound ? "1" : "",
    command.id,
    command.record,
    command.workingDirectory,
    command.user,
    command.stdout,
    command.stderr,
    command.program,
    String(command.cgroups.length),
    ...command.cgroups,
    String(command.before.length),
    ...command.before,
    String(environment.length),
    ...environment,
    ...command.argv,
  ]);
}

export const encodeClear = (record: string): Buffer => frame(["C", record]);

export const encodeGo = (id: string): Buffer => frame(["G", id]);

function frame(fields: readonly string[]): Buffer {
  const payload = fields.join("\0");
  return Buffer.from(`${Buffer.byteLength(payload)}\n${payload}`);
}

/** The frame's fields, and the command back from them; undefined for a frame of another type. */
export function decodeLaunch(fields: readonly string[]): LaunchCommand | undefined {
  const [type, gated, bound, id, record, workingDirectory, user, stdout, stderr, program] = fields;
  if (type !== "L" || program === undefined) return undefined;
  let next = 10;
  const list = (): string[] => {
    const count = Number(fields[next++]);
    const items = fields.slice(next, next + count);
    next += count;
    return items;
  };
  const cgroups = list();
  const before = list();
  const pairs = list();
  const environment: Record<string, string> = {};
  for (let i = 0; i + 1 < pairs.length; i += 2) environment[pairs[i]!] = pairs[i + 1]!;
  return {
    gated: gated !== "",
    bound: bound !== "",
    id: id!,
    record: record!,
    workingDirectory: workingDirectory!,
    user: user!,
    stdout: stdout!,
    stderr: stderr!,
    program,
    argv: fields.slice(next),
    environment,
    cgroups,
    before,
  };
}

/** Undefined for a line that is no event. */
export function parseEvent(line: string): ShimEvent | undefined {
  const [type, id = "", ...words] = line.split(" ", 6);
  const number = (index: number): number => Number(words[index]);
  switch (type) {
    case "H":
      return { type: "ready", reapsOrphans: id === "1" };
    case "P":
      return {
        type: "prepared",
        id,
        shimPid: number(0),
        shimStart: number(1),
        pid: number(2),
        start: number(3),
      };
    case "R":
      return { type: "running", id };
    case "F":
      return { type: "failed", id, message: line.slice(3 + id.length) };
    case "X":
      return { type: "exited", id, status: number(0) };
    case "D":
      return { type: "gone", id };
    default:
      return undefined;
  }
}
