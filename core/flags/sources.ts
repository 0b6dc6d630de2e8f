import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, messageOf } from "../../sdk/errors/index.js";
import type { Assignment } from "./assignment.js";

export interface CommandLine {
  readonly assignments: readonly Assignment[];
  /** Words that are not flags; Mesos ignores them. */
  readonly others: readonly string[];
}

/** Parses `--name=value` and `--name`; whatever follows a lone `--` is ignored. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const end = args.indexOf("--");
  const words = end < 0 ? args : args.slice(0, end);
  const assignments: Assignment[] = [];
  const others: string[] = [];
  for (const word of words) {
    if (!word.startsWith("--")) {
      others.push(word);
      continue;
    }
    const equals = word.indexOf("=");
    const name = (equals < 0 ? word.slice(2) : word.slice(2, equals)).toLowerCase();
    const text = equals < 0 ? undefined : word.slice(equals + 1);
    assignments.push({ name, text, origin: { kind: "flag", where: `--${name}` } });
  }
  return { assignments, others };
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every variable with the prefix. Which of them are flags is decided elsewhere: others use the environment, too. */
export function readEnvironment(environment: Environment, prefix: string): Assignment[] {
  return Object.entries(environment).flatMap(([variable, text]): Assignment[] => {
    if (!variable.startsWith(prefix) || text === undefined) return [];
    const name = variable.slice(prefix.length).toLowerCase();
    return [{ name, text: text === "" ? undefined : text, origin: { kind: "environment", where: variable } }];
  });
}

export interface FlagFiles {
  readonly assignments: readonly Assignment[];
  readonly problems: readonly string[];
}

/** Directories in which Mesos's packages keep one entry per file, joined to one value. */
const LIST_FOLDERS = ["attributes", "resources"];

/**
 * Reads a directory such as `/etc/mesos-master` the way Mesos's packages do: the file `port` with the content `5050` is `--port=5050`, an
 * empty file `?quiet` is `--quiet`, `?no-hostname_lookup` is `--no-hostname_lookup`, and each file in the directories `attributes` and
 * `resources` is one `name:content`. A missing directory has no flags.
 */
export function readFlagDirectory(directory: string): FlagFiles {
  const assignments: Assignment[] = [];
  const problems: string[] = [];
  for (const file of entriesOf(directory, problems)) {
    const path = join(directory, file);
    try {
      const origin = { kind: "flag-file", where: path } as const;
      if (statSync(path).isDirectory()) {
        if (!LIST_FOLDERS.includes(file)) continue;
        const pairs = entriesOf(path, problems).map((name) => `${name}:${readTrimmed(join(path, name))}`);
        if (pairs.length > 0) assignments.push({ name: file, text: pairs.join(";"), origin });
      } else if (file.startsWith("?")) {
        assignments.push({ name: file.slice(1).toLowerCase(), text: undefined, origin });
      } else {
        assignments.push({ name: file.toLowerCase(), text: readTrimmed(path), origin });
      }
    } catch (error) {
      problems.push(`${path}: ${messageOf(error)}`);
    }
  }
  return { assignments, problems };
}

/** Reads a file such as `/etc/mesos/zk` as the value of one flag; if it is empty or missing, there is none. */
export function readFlagFile(path: string, name: string): FlagFiles {
  try {
    const text = readTrimmed(path);
    const origin = { kind: "flag-file", where: path } as const;
    return { assignments: text === "" ? [] : [{ name, text, origin }], problems: [] };
  } catch (error) {
    return { assignments: [], problems: isMissing(error) ? [] : [`${path}: ${messageOf(error)}`] };
  }
}

function entriesOf(directory: string, problems: string[]): string[] {
  try {
    // Hidden files and editors' backups are not flags.
    return readdirSync(directory)
      .filter((name) => !name.startsWith(".") && !name.endsWith("~"))
      .sort();
  } catch (error) {
    if (!isMissing(error)) problems.push(`${directory}: ${messageOf(error)}`);
    return [];
  }
}

const readTrimmed = (path: string): string => readFileSync(path, "utf8").trim();

const isMissing = (error: unknown): boolean => errnoOf(error) === "ENOENT";
