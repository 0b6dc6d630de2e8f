import picocolors from "picocolors";
import { closest } from "../../core/kernel/closest.js";
import { graphToDot, type Kernel } from "../../core/kernel/index.js";
import type { PluginDescription } from "../../sdk/contracts/plugin-directory.js";
import { messageOf } from "../../sdk/errors/index.js";
import { NO_LOG, prepare } from "../daemon.js";
import { BAD_USAGE } from "./bad-usage.js";
import { table } from "./table.js";
import type { DaemonName } from "./tepui.js";

interface ListOptions {
  readonly of: DaemonName;
  readonly json?: boolean;
}

/** One line a plugin: name, version, source, what it provides. */
export async function listPlugins(options: ListOptions, flags: readonly string[]): Promise<number> {
  const { kernel, code } = await assemble(options.of, flags);
  if (kernel === undefined) return code;
  const plugins = kernel.describe();
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(plugins, null, 2)}\n`);
    return code;
  }
  const rows = plugins.map((plugin) => [
    plugin.name,
    plugin.version,
    plugin.source.kind === "shipped" ? "shipped" : `${plugin.source.kind} ${plugin.source.location}`,
    plugin.provides.map((point) => `${point.name}@${point.version}`).join(" "),
  ]);
  process.stdout.write(table(["NAME", "VERSION", "SOURCE", "PROVIDES"], rows));
  return code;
}

export async function inspectPlugin(
  { name, of }: { readonly name: string; readonly of?: DaemonName },
  flags: readonly string[],
): Promise<number> {
  const known: string[] = [];
  for (const daemon of of === undefined ? (["master", "agent"] as const) : [of]) {
    const { kernel, code } = await assemble(daemon, flags);
    if (kernel === undefined) return code;
    const plugins = kernel.describe();
    const plugin = plugins.find((each) => each.name === name);
    known.push(...plugins.map((each) => each.name));
    if (plugin === undefined) continue;
    process.stdout.write(detail(plugin, daemon));
    return 0;
  }
  const guess = closest(name, known);
  const advice = guess === undefined ? "see 'tepui plugins ls'" : `did you mean '${guess}'?`;
  process.stderr.write(`there is no plugin '${name}' in the ${of ?? "master or the agent"}; ${advice}\n`);
  return 1;
}

export async function graphPlugins(options: ListOptions, flags: readonly string[]): Promise<number> {
  const { kernel, code } = await assemble(options.of, flags);
  if (kernel === undefined) return code;
  const graph = kernel.graph();
  process.stdout.write(
    options.json === true ? `${JSON.stringify(graph, null, 2)}\n` : graphToDot(graph, kernel.describe()),
  );
  return code;
}

/** The kernel of a daemon, assembled and not started. What is wrong is said and makes the exit code 1, but hides nothing. */
async function assemble(
  daemon: DaemonName,
  flags: readonly string[],
): Promise<{ readonly kernel?: Kernel; readonly code: number }> {
  const stray = flags.find((word) => !word.startsWith("--"));
  if (stray !== undefined) {
    process.stderr.write(`'${stray}' is neither a command nor a flag; see 'tepui plugins --help'\n`);
    return { code: BAD_USAGE };
  }
  try {
    // What the daemon needs in order to run (a work directory, a master) is not needed to look at it.
    const command = { target: daemon, argv: flags, program: `tepui ${daemon}`, alone: true };
    const prepared = await prepare(command, NO_LOG);
    if (prepared.kind !== "daemon") return { code: 1 };
    const { kernel, problems } = prepared;
    for (const problem of problems) process.stderr.write(`${problem}\n`);
    return { kernel, code: problems.length === 0 ? 0 : 1 };
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return { code: 1 };
  }
}

function detail(plugin: PluginDescription, daemon: DaemonName): string {
  const lines = [
    `${picocolors.bold(plugin.name)} ${plugin.version}  ${plugin.description}`,
    `source    ${plugin.source.kind} ${plugin.source.location}, in the ${daemon}`,
    `targets   ${plugin.targets.join(", ")}`,
    `failure   ${plugin.failure}`,
    ...plugin.provides.map((point) => `provides  ${point.name} ${point.version} (${point.cardinality})`),
    ...plugin.requires.map(
      (point) =>
        `requires  ${point.name} ${point.version}${point.optional ? ", optional" : ""} as '${point.as}'`,
    ),
    `config    ${JSON.stringify(plugin.config ?? {})}`,
  ];
  return `${lines.join("\n")}\n`;
}
