import { closest } from "../kernel/closest.js";
import type { Assignment, Origin } from "./assignment.js";
import type { FlagSpec } from "./flag-spec.js";
import { readText } from "./read-value.js";
import {
  type Environment,
  readCommandLine,
  readEnvironment,
  readFlagDirectory,
  readFlagFile,
} from "./sources.js";
import { objection } from "./support.js";
import type { SettingValue } from "./typed-settings.js";

export interface FlagSources {
  /** The command line, without the program's name. */
  readonly args: readonly string[];
  readonly environment?: Environment;
  /** Prefix of environment variables that are flags: `MESOS_`. */
  readonly prefix?: string;
  /** Directories with one flag per file, such as `/etc/mesos-master`. */
  readonly directories?: readonly string[];
  /** Files with the value of one flag, such as `/etc/mesos/zk`. */
  readonly files?: readonly { readonly path: string; readonly flag: string }[];
  /** Applied first, so that every other source overrides it. */
  readonly weakest?: readonly Assignment[];
}

export interface GivenFlag {
  readonly spec: FlagSpec;
  readonly value: SettingValue;
  readonly origin: Origin;
}

export interface LoadedFlags {
  /** By name, from the strongest source. Flags with problems are left out. */
  readonly given: ReadonlyMap<string, GivenFlag>;
  /** Words of the command line that are not flags. */
  readonly others: readonly string[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Reads flags from all sources by Mesos's rules. The command line overrides flag files, which override the environment.
 *
 * Collects everything that is wrong. A flag whose feature does not exist is a problem, and never ignored.
 */
export function loadFlags(specs: readonly FlagSpec[], sources: FlagSources): LoadedFlags {
  const loader = new FlagLoader(specs);
  loader.take(sources.weakest ?? [], { strict: false });
  loader.take(readEnvironment(sources.environment ?? {}, sources.prefix ?? "MESOS_"), { strict: false });
  const files = [
    ...(sources.files ?? []).map(({ path, flag }) => readFlagFile(path, flag)),
    ...(sources.directories ?? []).map(readFlagDirectory),
  ];
  for (const { assignments, problems } of files) {
    loader.problems.push(...problems);
    loader.take(assignments, { strict: true });
  }
  const { assignments, others } = readCommandLine(sources.args);
  loader.take(assignments, { strict: true });
  return { given: loader.given, others, problems: loader.problems, warnings: loader.warnings };
}

class FlagLoader {
  readonly given = new Map<string, GivenFlag>();
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  private readonly byName = new Map<string, FlagSpec>();

  constructor(specs: readonly FlagSpec[]) {
    for (const spec of specs) {
      this.byName.set(spec.name, spec);
      if (spec.alias !== undefined) this.byName.set(spec.alias, spec);
    }
  }

  /** Applies one source on top of weaker ones. `strict`: unknown names are problems. */
  take(assignments: readonly Assignment[], { strict }: { readonly strict: boolean }): void {
    const seen = new Map<FlagSpec, Assignment>();
    for (const assignment of assignments) {
      const { spec, negated } = this.find(assignment.name);
      if (spec === undefined) {
        if (strict) this.problems.push(this.unknown(assignment));
        continue;
      }
      const twin = seen.get(spec);
      if (twin !== undefined) {
        this.problems.push(`${assignment.origin.where}: is given twice${alsoAs(twin, assignment)}`);
        continue;
      }
      seen.set(spec, assignment);
      this.assign(spec, assignment, negated);
    }
  }

  private find(name: string): { spec: FlagSpec | undefined; negated: boolean } {
    const direct = this.byName.get(name);
    if (direct !== undefined || !name.startsWith("no-")) return { spec: direct, negated: false };
    return { spec: this.byName.get(name.slice("no-".length)), negated: true };
  }

  private unknown({ name, origin }: Assignment): string {
    const bare = name.replace(/^no-/, "");
    const guess = closest(bare, this.byName.keys());
    return `${origin.where}: there is no such flag${guess === undefined ? "" : `; did you mean --${guess}?`}`;
  }

  private assign(spec: FlagSpec, assignment: Assignment, negated: boolean): void {
    const { origin, name } = assignment;
    this.given.delete(spec.name);
    const text = textOf(spec, assignment, negated);
    if (typeof text !== "string") {
      this.problems.push(`${origin.where}: ${text.problem}`);
      return;
    }
    const usedName = negated ? name.slice("no-".length) : name;
    if (usedName === spec.alias) this.warnings.push(`${origin.where} is deprecated; use --${spec.name}`);
    const read = readText(spec, text);
    if (!read.ok) {
      this.problems.push(`${origin.where}: ${read.problem}`);
      return;
    }
    if (read.warning !== undefined) this.warnings.push(read.warning);
    const against = objection(spec, read.value);
    if (against !== undefined) this.problems.push(`${origin.where}: ${against}`);
    else this.given.set(spec.name, { spec, value: read.value, origin });
  }
}

/** The text of a flag without `=`, of a negated one, or of a plain one. */
function textOf(
  spec: FlagSpec,
  { text, origin }: Assignment,
  negated: boolean,
): string | { problem: string } {
  if (spec.type === "bool") {
    // An empty value counts as none.
    if (!negated) return text || "true";
    return !text ? "false" : { problem: `takes no value, found '${text}'` };
  }
  if (negated) return { problem: `--${spec.name} is not a yes-or-no flag and has no 'no-' form` };
  if (text !== undefined) return text;
  // An empty variable is an empty text; a flag without a value is a mistake.
  if (origin.kind === "environment") return "";
  return { problem: `needs a value, written --${spec.name}=VALUE` };
}

function alsoAs(twin: Assignment, assignment: Assignment): string {
  return twin.origin.where === assignment.origin.where ? "" : ` (also as ${twin.origin.where})`;
}
