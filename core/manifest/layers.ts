import { realpathSync } from "node:fs";
import { dirname, isAbsolute, join, normalize } from "node:path";
import { messageOf } from "../../sdk/errors/index.js";
import { checkOutline, type Outline } from "./check-format.js";
import { shippedManifest } from "./shipped-manifest.js";
import { ManifestSource } from "./source.js";

/** One of the files that make up a manifest. */
export interface Layer {
  readonly source: ManifestSource;
  readonly outline: Outline;
}

/** The file and those that it extends, the base of all first. */
export async function readLayers(
  own: ManifestSource,
): Promise<{ readonly layers: readonly Layer[]; readonly problems: readonly string[] }> {
  const layers: Layer[] = [];
  const problems: string[] = [];
  for (let source: ManifestSource | undefined = own; source !== undefined; ) {
    const { outline, problems: faults } = checkOutline(source);
    layers.unshift({ source, outline });
    problems.push(...source.problems, ...faults);
    const base: Base = outline.extends === undefined ? {} : await readBase(outline.extends, layers);
    if (base.problem !== undefined) problems.push(`${source.where(["extends"])}: extends: ${base.problem}`);
    source = base.source;
  }
  for (const [index, { source, outline }] of layers.entries()) {
    const base = layers[index - 1];
    if (base?.outline.target === undefined || outline.target === undefined) continue;
    if (base.outline.target !== outline.target) {
      problems.push(
        `${source.where(["extends"])}: extends: ${base.source.name} is for the ${base.outline.target}, not for the ${outline.target}`,
      );
    }
  }
  return { layers, problems };
}

interface Base {
  readonly source?: ManifestSource;
  readonly problem?: string;
}

/** Reads the file that the first layer extends. */
async function readBase(wanted: string, layers: readonly Layer[]): Promise<Base> {
  const extending = layers[0]!.source;
  const file = fileOf(wanted, extending);
  if (file === undefined) {
    return {
      problem: `'${wanted}' is no manifest that ships (agent, master); the path of a file begins with ./, ../ or /`,
    };
  }
  const circle = layers.findIndex(({ source }) => realPath(source.path) === realPath(file.path));
  if (circle >= 0) {
    const names = layers.slice(0, circle + 1).map(({ source }) => source.name);
    return { problem: `${[...names.reverse(), file.name].join(" extends ")}, in a circle` };
  }
  try {
    return { source: await ManifestSource.read(file.path, file.name) };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

/** Named like the extending file: relative to the same directory, or absolute. */
function fileOf(
  wanted: string,
  extending: ManifestSource,
): { readonly path: string; readonly name: string } | undefined {
  if (wanted === "agent" || wanted === "master") {
    const path = shippedManifest(wanted);
    return { path, name: path };
  }
  if (isAbsolute(wanted)) return { path: normalize(wanted), name: wanted };
  if (!/^\.{1,2}\//.test(wanted)) return undefined;
  return { path: join(dirname(extending.path), wanted), name: join(dirname(extending.name), wanted) };
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // A missing file is reported when it is read.
    return path;
  }
}
