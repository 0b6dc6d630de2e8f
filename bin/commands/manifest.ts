import picocolors from "picocolors";
import { type LoadedManifest, loadManifest, ManifestSource } from "../../core/manifest/index.js";
import { isTepuiError, messageOf } from "../../sdk/errors/index.js";
import { kernelFor, manifestFor } from "../daemon.js";
import { SHIPPED } from "../shipped.js";
import type { DaemonName } from "./tepui.js";

/** Prints the settings and plugins in effect with the origin of each value. Problems come last, and make the exit code 1. */
export async function explainManifest(
  daemon: DaemonName,
  flags: readonly string[],
  { json = false }: { json?: boolean },
): Promise<number> {
  const manifest = await read(() => manifestFor(daemon, flags));
  if (manifest === undefined) return 1;
  process.stdout.write(json ? `${JSON.stringify(asData(manifest), null, 2)}\n` : asText(manifest));
  return report([...manifest.problems, ...(await graphProblems(manifest))]);
}

/** Prints every problem, of the file and of the graph that it describes. */
export async function validateManifest(file: string): Promise<number> {
  const manifest = await read(async () =>
    loadManifest({ source: await ManifestSource.read(file), shipped: SHIPPED, environment: process.env }),
  );
  if (manifest === undefined) return 1;
  const problems = [...manifest.problems, ...(await graphProblems(manifest))];
  if (problems.length === 0) process.stdout.write(`${file}: a valid manifest of the ${manifest.target}\n`);
  return report(problems);
}

async function read(load: () => Promise<LoadedManifest>): Promise<LoadedManifest | undefined> {
  try {
    return await load();
  } catch (error) {
    if (!isTepuiError(error)) throw error;
    process.stderr.write(`${messageOf(error)}\n`);
    return undefined;
  }
}

/** What is wrong between plugins; looked for only when each by itself is right. */
async function graphProblems(manifest: LoadedManifest): Promise<readonly string[]> {
  if (manifest.problems.length > 0) return [];
  return kernelFor(manifest, { write: () => undefined }).problems();
}

function report(problems: readonly string[]): number {
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  return problems.length === 0 ? 0 : 1;
}

interface ExplainedManifest {
  readonly manifest: string;
  readonly target: string;
  readonly settings: Readonly<Record<string, { value: string; from: string }>>;
  readonly plugins: readonly {
    readonly name: string;
    readonly from: string;
    readonly config: unknown;
    readonly origins: Readonly<Record<string, string>>;
  }[];
  readonly omitted: readonly { readonly name: string; readonly why: string }[];
}

function asData(manifest: LoadedManifest): ExplainedManifest {
  const settings: Record<string, { value: string; from: string }> = {};
  for (const [name, { text, origin }] of manifest.settings) {
    if (text !== undefined) settings[name] = { value: text, from: originText(origin) };
  }
  return {
    manifest: manifest.source.name,
    target: manifest.target,
    settings,
    plugins: manifest.plugins.map(({ entry, origins }) => ({
      name: entry.name,
      from: `${entry.source.kind} ${entry.source.location} (${entry.where ?? "built in"})`,
      config: entry.config ?? {},
      origins: Object.fromEntries([...origins].map(([path, origin]) => [path, originText(origin)])),
    })),
    omitted: manifest.omitted.map(({ name, why }) => ({ name, why })),
  };
}

const originText = (origin: { kind: string; where: string }): string =>
  origin.kind === "default" ? "default" : `${origin.kind} ${origin.where}`;

function asText(manifest: LoadedManifest): string {
  const { settings, plugins, omitted, target, manifest: name } = asData(manifest);
  const lines = [`${picocolors.bold(target)} from ${name}`, "", picocolors.bold("settings")];
  for (const [key, { value, from }] of Object.entries(settings)) {
    lines.push(`  ${key}: ${value}${picocolors.dim(`  # ${from}`)}`);
  }
  lines.push("", picocolors.bold("plugins"));
  for (const plugin of plugins) {
    lines.push(`  ${plugin.name}${picocolors.dim(`  # ${plugin.from}`)}`);
    const config = JSON.stringify(plugin.config);
    if (config !== "{}") lines.push(`    ${config}`);
    for (const [path, from] of Object.entries(plugin.origins))
      lines.push(picocolors.dim(`    # ${path}: ${from}`));
  }
  if (omitted.length > 0) lines.push("", picocolors.bold("left out"));
  for (const { name: plugin, why } of omitted) lines.push(`  ${plugin}${picocolors.dim(`  # ${why}`)}`);
  return `${lines.join("\n")}\n`;
}
