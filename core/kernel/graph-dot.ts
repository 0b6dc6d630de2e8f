import type { PluginDescription, PluginGraph } from "../../sdk/contracts/plugin-directory.js";

/** The graph in Graphviz's language: arrows point from plugins to what they require, dashed if it is optional. */
export function graphToDot(graph: PluginGraph, plugins: readonly PluginDescription[]): string {
  const nodes = plugins.map(
    ({ name, version, state }) => `  ${quote(name)} [label=${quote(`${name} ${version}\\n${state}`)}];`,
  );
  const ranks = graph.layers.map(
    (layer) => `  { rank=same; ${layer.map((name) => `${quote(name)};`).join(" ")} }`,
  );
  const edges = graph.edges.map(
    ({ from, to, point, optional }) =>
      `  ${quote(from)} -> ${quote(to)} [label=${quote(point)}${optional ? ", style=dashed" : ""}];`,
  );
  return [
    "digraph plugins {",
    "  rankdir=LR;",
    "  node [shape=box];",
    ...nodes,
    ...ranks,
    ...edges,
    "}",
    "",
  ].join("\n");
}

const quote = (text: string): string => `"${text.replaceAll('"', '\\"')}"`;
