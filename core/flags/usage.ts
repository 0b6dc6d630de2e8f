import type { FlagSpec } from "./flag-spec.js";

const WIDTH = 100;
const COLUMN = 42;

/** The list of flags for --help: first those that work, then those that are recognized and refused. */
export function usage(program: string, specs: readonly FlagSpec[]): string {
  const sorted = specs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const working = sorted.filter(({ support }) => support.kind !== "refused");
  const refused = sorted.filter(({ support }) => support.kind === "refused");
  const lines = [`Usage: ${program} [--name=value ...]`, "", ...working.flatMap(describe)];
  if (refused.length > 0) {
    lines.push(
      "",
      "Known, but refused with any value other than the default, because their feature is missing:",
      "",
    );
    lines.push(
      ...wrap(refused.map(({ name }) => `--${name}`).join(" "), WIDTH - 2).map((line) => `  ${line}`),
    );
  }
  return `${lines.join("\n")}\n`;
}

function describe(spec: FlagSpec): string[] {
  const head = `  ${spec.type === "bool" ? `--[no-]${spec.name}` : `--${spec.name}=VALUE`}`;
  const fallback = spec.required
    ? "Required."
    : spec.default === undefined
      ? ""
      : `Default: ${spec.default || "empty"}.`;
  const text = wrap(`${spec.meaning} ${fallback}`.trim(), WIDTH - COLUMN);
  const indent = " ".repeat(COLUMN);
  const [first = "", ...rest] = text;
  const opening = head.length < COLUMN ? [head.padEnd(COLUMN) + first] : [head, indent + first];
  return [...opening, ...rest.map((line) => indent + line)];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return line === "" ? lines : [...lines, line];
}
