import { readFileSync } from "node:fs";
import { closest } from "../../core/kernel/closest.js";
import { messageOf } from "../../sdk/errors/index.js";
import { parseDuration } from "../../sdk/values/index.js";

export type ExecuteStyle = "tepui" | "mesos";

interface FlagSpec {
  readonly kind: "text" | "flag" | "duration";
  readonly help: string;
  readonly default?: string;
  /** Why the flag is refused. */
  readonly refused?: string;
  /** Exists in `tepui execute` only. */
  readonly tepui?: true;
}

const NO_HDFS =
  "copying packages into HDFS needs Hadoop; let the task fetch an http or https URI (see --task)";

/** Names, defaults and meanings are those of `mesos-execute`. */
const SPECS = {
  master: {
    kind: "text",
    help: "Master to subscribe with, as host:port; several as a comma-separated list.",
  },
  name: { kind: "text", help: "Name of the task, also used as its id." },
  command: { kind: "text", help: "Command to launch." },
  shell: {
    kind: "flag",
    default: "true",
    help: "Run the command with a shell; if not, it is the program itself.",
  },
  env: { kind: "text", help: "Environment variables, as a JSON object or the path of a file with one." },
  resources: { kind: "text", default: "cpus:1;mem:128", help: "Resources of the task." },
  role: { kind: "text", default: "*", help: "Role to use resources of." },
  task: { kind: "text", help: "The whole task, as the JSON of a TaskInfo or the path of a file with one." },
  task_group: {
    kind: "text",
    help: "Tasks that run together, as the JSON of a TaskGroupInfo or the path of a file with one.",
  },
  checkpoint: { kind: "flag", default: "false", help: "Let the task survive a restart of its agent." },
  kill_after: {
    kind: "duration",
    help: "Kill the task when it has run for this long, such as 10secs or 2mins.",
  },
  partition_aware: {
    kind: "flag",
    default: "true",
    help: "Learn that an agent is unreachable instead of taking its tasks for lost.",
  },
  framework_capabilities: {
    kind: "text",
    help: "Further capabilities of the framework; GPU_RESOURCES is one.",
  },
  principal: { kind: "text", help: "Principal to authenticate as." },
  secret: { kind: "text", help: "Secret of the principal." },
  content_type: { kind: "text", default: "protobuf", help: "Form of the messages, json or protobuf." },
  containerizer: { kind: "text", default: "mesos", help: "Containerizer to use, mesos or docker." },
  docker_image: { kind: "text", help: "Docker image to run in, such as busybox:latest." },
  appc_image: { kind: "text", help: "Appc image to run in." },
  volumes: { kind: "text", help: "Volumes, as a JSON list of Volume or the path of a file with one." },
  networks: { kind: "text", help: "Comma-separated networks that the container joins." },
  effective_capabilities: {
    kind: "text",
    help: "Effective Linux capabilities, as the JSON of a CapabilityInfo.",
  },
  bounding_capabilities: {
    kind: "text",
    help: "Bounding Linux capabilities, as the JSON of a CapabilityInfo.",
  },
  rlimits: { kind: "text", help: "POSIX resource limits, as the JSON of an RLimitInfo." },
  tty: { kind: "flag", default: "false", help: "Give the task a terminal." },
  hadoop: { kind: "text", help: "Path of the hadoop script.", refused: NO_HDFS },
  hdfs: { kind: "text", help: "Address of the HDFS NameNode.", refused: NO_HDFS },
  package: { kind: "text", help: "Package to copy into HDFS.", refused: NO_HDFS },
  overwrite: { kind: "flag", default: "false", help: "Replace the package in HDFS.", refused: NO_HDFS },
  output: { kind: "flag", default: "true", tepui: true, help: "Show what the task prints." },
  transport: { kind: "text", default: "http", tepui: true, help: "How to talk to the master, http or grpc." },
  help: { kind: "flag", default: "false", help: "Show this text." },
} as const satisfies Record<string, FlagSpec>;

type FlagName = keyof typeof SPECS;

export interface ExecuteFlags {
  /** The given value, or the default. */
  text(name: FlagName): string | undefined;
  on(name: FlagName): boolean;
  /** Milliseconds. */
  duration(name: FlagName): number | undefined;
  given(name: FlagName): boolean;
  /** What follows `--`. */
  readonly rest: readonly string[];
}

const isFlag = (name: string): name is FlagName => Object.hasOwn(SPECS, name);

/**
 * Parses flags in Mesos's grammar: `--name=value`, or `--name` and `--no-name` for booleans; nothing after `--`. Returns the flags, or one
 * line per problem.
 */
export function parseExecuteFlags(
  argv: readonly string[],
  style: ExecuteStyle,
): ExecuteFlags | readonly string[] {
  const values = new Map<FlagName, string>();
  const problems: string[] = [];
  const end = argv.indexOf("--");
  const rest = end < 0 ? [] : argv.slice(end + 1);
  for (const argument of end < 0 ? argv : argv.slice(0, end)) {
    const problem = argument.startsWith("--")
      ? takeFlag(argument.slice(2), { values, style })
      : stray(argument, style);
    if (problem !== undefined) problems.push(problem);
  }
  for (const [name, value] of values) {
    const problem = SPECS[name].kind === "duration" ? durationProblem(name, value) : undefined;
    if (problem !== undefined) problems.push(problem);
  }
  if (problems.length > 0) return problems;

  const text = (name: FlagName): string | undefined => values.get(name) ?? (SPECS[name] as FlagSpec).default;
  return {
    text,
    on: (name) => text(name) === "true",
    duration: (name) => (values.has(name) ? parseDuration(values.get(name)!) : undefined),
    given: (name) => values.has(name),
    rest,
  };
}

/** Mesos ignores what does not look like a flag; for a person it is more likely a mistake. */
function stray(argument: string, style: ExecuteStyle): string | undefined {
  return style === "mesos" ? undefined : `unexpected argument '${argument}'; a command line goes after --`;
}

function takeFlag(
  argument: string,
  { values, style }: { values: Map<FlagName, string>; style: ExecuteStyle },
): string | undefined {
  const equals = argument.indexOf("=");
  const given = (equals < 0 ? argument : argument.slice(0, equals)).toLowerCase().replaceAll("-", "_");
  const value = equals < 0 ? undefined : argument.slice(equals + 1);
  const negated = given.startsWith("no_") && !isFlag(given);
  const name = negated ? given.slice(3) : given;
  const spec: FlagSpec | undefined = isFlag(name) ? SPECS[name] : undefined;
  if (!isFlag(name) || spec === undefined || (spec.tepui === true && style === "mesos")) {
    const guess = closest(name, Object.keys(SPECS));
    const advice = guess === undefined ? "" : `; did you mean --${guess}?`;
    return `unknown flag '--${argument.slice(0, equals < 0 ? undefined : equals)}'${advice}`;
  }
  if (spec.refused !== undefined) return `--${name} is not supported: ${spec.refused}`;
  if (values.has(name)) return `--${name} is given twice`;
  if (spec.kind === "flag") {
    if (negated && value !== undefined) return `--no-${name} takes no value`;
    const boolean = value === undefined ? !negated : booleanOf(value);
    if (boolean === undefined) return `--${name}: expected true or false, not '${value}'`;
    values.set(name, String(boolean));
    return undefined;
  }
  if (negated) return `--no-${name}: --${name} is not a boolean`;
  if (value === undefined) return `--${name} needs a value`;
  values.set(name, value);
  return undefined;
}

function booleanOf(text: string): boolean | undefined {
  if (text === "true" || text === "1") return true;
  return text === "false" || text === "0" ? false : undefined;
}

function durationProblem(name: string, value: string): string | undefined {
  try {
    parseDuration(value);
    return undefined;
  } catch (error) {
    return `--${name}: ${messageOf(error)}`;
  }
}

/** The text of a value that may also be the path of a file: `file:///path`, or `/path`. Throws an Error that names the flag. */
export function textOrFile(name: FlagName, value: string): string {
  const path = value.startsWith("file://") ? value.slice("file://".length) : value;
  if (!path.startsWith("/")) return value;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`--${name}: cannot read '${path}': ${messageOf(error)}`);
  }
}

export function executeUsage(style: ExecuteStyle): string {
  const program = style === "tepui" ? "tepui execute" : "mesos-execute";
  const lines = Object.entries<FlagSpec>(SPECS)
    .filter(([, spec]) => spec.refused === undefined && (style === "tepui" || spec.tepui !== true))
    .map(([name, spec]) => {
      const form = spec.kind === "flag" ? `--[no-]${name}` : `--${name}=VALUE`;
      const suffix = spec.default === undefined ? "" : ` (default: ${spec.default})`;
      return `  ${form.padEnd(32)} ${spec.help}${suffix}`;
    });
  const positional = style === "tepui" ? " [-- program arguments...]" : "";
  return `Usage: ${program} [flags]${positional}\n\nRuns one task, or one group of tasks, and waits for its end.\n\n${lines.join("\n")}\n`;
}
