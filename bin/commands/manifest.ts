import {
  type ExplainedValue,
  explain,
  explainYaml,
  loadManifest,
  ManifestSource,
  originText,
} from "../../core/manifest/index.js";
import { messageOf } from "../../sdk/errors/index.js";
import { NO_LOG, prepare } from "../daemon.js";
import { SHIPPED } from "../shipped.js";
import type { DaemonName } from "./tepui.js";

/** Prints the effective manifest with the origin of each value. Problems go to standard error and make the exit code 1. */
export async function explainManifest(
  daemon: DaemonName,
  flags: readonly string[],
  { json = false, all = false }: { json?: boolean; all?: boolean },
): Promise<number> {
  try {
    const prepared = await prepare({ target: daemon, argv: flags, program: `tepui ${daemon}` }, NO_LOG);
    if (prepared.kind !== "daemon") {
      process.stderr.write("--help and --version are not for 'explain'\n");
      return 1;
    }
    const { manifest, problems, warnings } = prepared;
    process.stdout.write(
      json ? `${JSON.stringify(explain(manifest).map(row), null, 2)}\n` : explainYaml(manifest, { all }),
    );
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
    return report(problems);
  } catch (error) {
    return report([messageOf(error)]);
  }
}

/** Prints every problem with the file and with the plugins that it lists. */
export async function validateManifest(file: string): Promise<number> {
  try {
    const source = await ManifestSource.read(file);
    const { target } = await loadManifest({ source, shipped: SHIPPED, environment: process.env });
    const command = { target, argv: [`--manifest=${file}`], program: "tepui", alone: true };
    const prepared = await prepare(command, NO_LOG);
    if (prepared.kind !== "daemon") return 1;
    for (const warning of prepared.warnings) process.stderr.write(`warning: ${warning}\n`);
    if (prepared.problems.length === 0) process.stdout.write(`${file}: a valid manifest for the ${target}\n`);
    return report(prepared.problems);
  } catch (error) {
    return report([messageOf(error)]);
  }
}

function row({ path, value, origin }: ExplainedValue) {
  return { path: path.map(String), value, from: originText(origin) };
}

function report(problems: readonly string[]): number {
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  return problems.length === 0 ? 0 : 1;
}
