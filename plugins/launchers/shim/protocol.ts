import type { ContainerOutput } from "../../../sdk/contracts/container-logger.js";
import type { LaunchPlan } from "../../../sdk/contracts/launcher.js";
import { TepuiError } from "../../../sdk/errors/index.js";

/**
 * What a launcher and its helper say to each other.
 *
 * Commands go as frames, `<bytes>\n<fields separated by NUL>` (none may hold a NUL, nor could an argument, path or variable): `L` launches, followed by
 * names and values (`<name> = <text>`, `<name> <count> <text>...`; what is absent is left out), `G` lets the command of a container go,
 * `C` removes a record.
 *
 * Events come as lines: `H <reaps orphans> <what keeps it from namespaces and mounts>` at the start; then for each container
 * `P <id> <shim pid> <its start> <pid> <its start>` when its process waits to be let go, `R <id>` when it became the command,
 * `F <id> <text>` when it could not, `X <id> <wait status>` when the command ended and that is recorded, `D <id>` when nothing of the
 * container is left.
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
  /** Name or number; absent: the helper's own. */
  readonly user: string | undefined;
  /** Numbers of groups that the user is to be in, beside its own. */
  readonly groups: readonly string[];
  readonly stdout: ContainerOutput;
  readonly stderr: ContainerOutput;
  /** Looked up in the environment's PATH when it has no slash. */
  readonly program: string;
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Directories of cgroups to join. */
  readonly cgroups: readonly string[];
  /** Shell commands to run before the command, in its place. */
  readonly before: readonly string[];
  readonly limits: readonly NumberedLimit[];
  readonly noNewPrivileges: boolean;
  readonly oomScoreAdjust: number | undefined;
  /** Who holds its streams, where they can be attached to. */
  readonly switchboard?: LaunchPlan["switchboard"];
  /** Names and values for the helper alone, as the linux launcher has them; the one without Perl knows none. */
  readonly more?: Readonly<Record<string, FieldValue | undefined>> | undefined;
}

/** A limit of setrlimit(2), by name and number; absent amounts are unlimited. */
export interface NumberedLimit {
  readonly name: string;
  readonly number: number;
  readonly soft: number | undefined;
  readonly hard: number | undefined;
}

/** Absent where it is undefined, false or an empty list. */
export type FieldValue = string | boolean | readonly string[];

export type ShimEvent =
  | { readonly type: "ready"; readonly reapsOrphans: boolean; readonly lack: string }
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

/** Throws where a text holds a NUL. */
export function encodeLaunch(command: LaunchCommand): Buffer {
  const { limits, stdout, stderr } = command;
  return frame([
    "L",
    ...fieldsOf({
      gated: command.gated,
      bound: command.bound,
      id: command.id,
      record: command.record,
      directory: command.workingDirectory,
      user: command.user,
      groups: command.groups,
      ...(typeof stdout === "string" ? { stdout } : { stdout_command: stdout.command }),
      ...(typeof stderr === "string" ? { stderr } : { stderr_command: stderr.command }),
      program: command.program,
      argv: command.argv,
      environment: Object.entries(command.environment).flat(),
      cgroups: command.cgroups,
      before: command.before,
      limits: limits.flatMap(({ name, number, soft, hard }) => [
        name,
        String(number),
        String(soft ?? ""),
        String(hard ?? ""),
      ]),
      no_new_privileges: command.noNewPrivileges,
      oom_score_adjust: command.oomScoreAdjust?.toString(),
      switchboard: command.switchboard?.socket,
      session: command.switchboard?.session === true,
      terminal: terminalFields(command.switchboard?.terminal),
      ...command.more,
    }),
  ]);
}

/** A size of 0 by 0 is one that is not known. */
const terminalFields = (
  size: { readonly rows: number; readonly columns: number } | undefined,
): readonly string[] => (size === undefined ? [] : [size.rows, size.columns].map(String));

function fieldsOf(values: Readonly<Record<string, FieldValue | undefined>>): string[] {
  const fields: string[] = [];
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === false) continue;
    if (value !== true && [value].flat().some((text) => text.includes("\0"))) throw holdsNul(name);
    if (value === true) fields.push(name, "=", "1");
    else if (typeof value === "string") fields.push(name, "=", value);
    // An environment may be empty, but is there.
    else if (value.length > 0 || name === "environment") fields.push(name, String(value.length), ...value);
  }
  return fields;
}

/** What follows a NUL would be read as fields of its own, which say more than the container may: as whom it runs, or what else does. */
const holdsNul = (name: string): TepuiError =>
  new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", {
    detail: `a NUL character in the container's ${name.replaceAll("_", " ")}, which no program can be given`,
  });

export const encodeClear = (record: string): Buffer => frame(["C", record]);

export const encodeGo = (id: string): Buffer => frame(["G", id]);

function frame(fields: readonly string[]): Buffer {
  const payload = fields.join("\0");
  return Buffer.from(`${Buffer.byteLength(payload)}\n${payload}`);
}

/** The fields of a frame, and the command back from them; undefined for a frame of another type. */
export function decodeLaunch(fields: readonly string[]): LaunchCommand | undefined {
  if (fields[0] !== "L") return undefined;
  const texts = new Map<string, string>();
  const lists = new Map<string, readonly string[]>();
  for (let next = 1; next < fields.length; ) {
    const name = fields[next]!;
    const count = fields[next + 1]!;
    next += 2;
    if (count === "=") texts.set(name, fields[next++]!);
    else {
      lists.set(name, fields.slice(next, next + Number(count)));
      next += Number(count);
    }
  }
  const text = (name: string): string => texts.get(name) ?? "";
  const rows = (name: string, width: number): string[][] => {
    const all = [...(lists.get(name) ?? [])];
    return Array.from({ length: all.length / width }, () => all.splice(0, width));
  };
  const output = (name: string): ContainerOutput => {
    const command = lists.get(`${name}_command`);
    return command === undefined ? text(name) : { command };
  };
  const amount = (of: string | undefined): number | undefined => (of ? Number(of) : undefined);
  return {
    gated: texts.has("gated"),
    bound: texts.has("bound"),
    id: text("id"),
    record: text("record"),
    workingDirectory: text("directory"),
    user: texts.get("user"),
    groups: lists.get("groups") ?? [],
    stdout: output("stdout"),
    stderr: output("stderr"),
    program: text("program"),
    argv: lists.get("argv") ?? [],
    environment: Object.fromEntries(rows("environment", 2)),
    cgroups: lists.get("cgroups") ?? [],
    before: lists.get("before") ?? [],
    limits: rows("limits", 4).map(([name, number, soft, hard]) => ({
      name: name!,
      number: Number(number),
      soft: amount(soft),
      hard: amount(hard),
    })),
    noNewPrivileges: texts.has("no_new_privileges"),
    oomScoreAdjust: amount(texts.get("oom_score_adjust")),
    ...(texts.has("switchboard") && { switchboard: { socket: text("switchboard") } }),
  };
}

/** Undefined for a line that is no event. */
export function parseEvent(line: string): ShimEvent | undefined {
  const [type, id = "", ...words] = line.split(" ", 6);
  const number = (index: number): number => Number(words[index]);
  switch (type) {
    case "H":
      return { type: "ready", reapsOrphans: id === "1", lack: line.slice(3 + id.length) };
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
