// Writes the reference pages that come from the code: docs/contracts.md, docs/errors.md, docs/flags.md, docs/manifest.schema.json.
//   node scripts/reference.mjs [folder of the compiled program, default dist]
// A test holds the pages against the tables.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { root } from "./steps.mjs";

/** The pages by file name. `compiled` is the folder with the compiled program. */
export async function referencePages(compiled) {
  const load = (path) => import(pathToFileURL(join(compiled, path)).href);
  const { publishedSchema } = await load("core/manifest/published-schema.js");
  const { DAEMON_FLAGS } = await load("core/flags/daemon-flags.js");
  const { ERRORS, ERROR_KINDS } = await load("sdk/errors/table.js");
  const { SHIPPED } = await load("bin/shipped.js");
  const plugins = await Promise.all(Object.values(SHIPPED).map(async (ship) => (await ship()).default));
  const sdk = await load("sdk/index.js");
  const suites = Object.keys(await load("sdk/testing/index.js"));
  return {
    "docs/contracts.md": contractsPage({ plugins, sdk, suites }),
    "docs/errors.md": errorsPage(ERRORS, ERROR_KINDS),
    "docs/flags.md": flagsPage(DAEMON_FLAGS),
    "docs/manifest.schema.json": `${JSON.stringify(publishedSchema(), null, 2)}\n`,
  };
}

function contractsPage({ plugins, sdk, suites }) {
  const contracts = readdirSync(join(root, "sdk/contracts"))
    .sort()
    .flatMap((file) => {
      const text = readFileSync(join(root, "sdk/contracts", file), "utf8");
      const name = /^export const (\w+) = extensionPoint/m.exec(text)?.[1];
      return name === undefined ? [] : [{ file, name, point: sdk[name], text }];
    })
    .map(({ file, name, point, text }) => {
      if (point === undefined) throw new Error(`sdk/index.ts does not export ${name}`);
      const shipped = plugins.filter(({ provides }) =>
        provides.some((provided) => provided.name === point.name),
      );
      const suite = suites.find((each) => each.toLowerCase() === `${name}Suite`.toLowerCase());
      return [
        `[\`${name}\`](../sdk/contracts/${file})`,
        point.version,
        point.cardinality,
        cell(firstSentence(text, name)),
        shipped.map((plugin) => plugin.name).join(", ") || "the kernel",
        suite === undefined ? "" : `\`${suite}\``,
      ];
    });
  const shipped = plugins
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, targets, description, provides, requires }) => [
      name,
      targets.length === 2 ? "both" : targets.join(),
      cell(description),
      provides.map((point) => nameOf(point, sdk)).join(", "),
      Object.values(requires)
        .map((needed) => `${nameOf(needed.optional ?? needed, sdk)}${needed.optional ? " (optional)" : ""}`)
        .join(", "),
    ]);
  return page("Contracts", [
    "Where plugins meet. A contract is an interface and an extension point of the same name, in the file of `sdk/contracts` that its name links to: methods, units, " +
      "errors. All of them are exports of `tepui/sdk`.",
    "`one`: exactly one plugin provides it. `many`: any number. `ordered`: any number, and the order of the manifest is behaviour. " +
      "`keyed`: any number, one for each key. A contract with a suite has it in `tepui/sdk/testing`: a function that takes a factory and gives the cases that every implementation must pass.",
    table(["contract", "version", "takes", "what it does", "ships with", "suite"], contracts),
    "## Plugins that ship",
    table(["plugin", "daemon", "what it is", "provides", "requires"], shipped),
    "This page is made from the code by `node scripts/reference.mjs`.",
  ]);
}

/** Of the comment on an interface. */
function firstSentence(text, name) {
  const comment = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s*export interface ${name}\\b`).exec(text)?.[1];
  if (comment === undefined) throw new Error(`the interface ${name} has no comment`);
  const line = comment.replace(/\s*\n\s*\*\s?/g, " ").trim();
  return /^.*?[.](?= |$)/.exec(line)?.[0] ?? line;
}

const nameOf = (point, sdk) =>
  Object.keys(sdk).find((name) => sdk[name]?.token === point.token) ?? point.name;

function errorsPage(errors, kinds) {
  const rows = Object.entries(errors)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { kind, text, hint }]) => [
      `\`${code}\``,
      kind,
      kinds[kind].http,
      kinds[kind].grpc,
      cell(text),
      cell(hint),
    ]);
  return page("Errors", [
    "Every error that Tepui reports has a code from this table, which is `sdk/errors/table.ts`. The HTTP and gRPC status follow from the kind.",
    table(["code", "kind", "HTTP", "gRPC", "what happened", "what to do"], rows),
  ]);
}

function flagsPage(daemons) {
  const sections = Object.entries(daemons).map(([daemon, specs]) => {
    const sorted = specs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const working = sorted.filter(({ support }) => support.kind !== "refused");
    const refused = sorted.filter(({ support }) => support.kind === "refused");
    return [
      `## ${daemon[0].toUpperCase()}${daemon.slice(1)}`,
      table(
        ["flag", "default", "meaning"],
        working.map((spec) => [names(spec), fallback(spec), meaning(spec)]),
      ),
      `### Known to the ${daemon}, and refused with another value than the default`,
      table(
        ["flag", "default", "why"],
        refused.map((spec) => [names(spec), fallback(spec), cell(spec.support.why)]),
      ),
    ].join("\n\n");
  });
  return page("Flags", [
    "Mesos's flags, as the daemons take them: `--name=value`; `--name` and `--no-name` for yes or no; `MESOS_NAME` in the environment; " +
      "files of the name in `/etc/mesos-master` and `/etc/mesos-agent`; `file:///path` as a value stands for the content of that file. " +
      "The command line wins over flag files, those over the environment, that over the manifest's `settings`. " +
      "This page is made from the tables in `core/flags` by `node scripts/reference.mjs`.",
    ...sections,
  ]);
}

const names = ({ name, alias }) => `\`--${name}\`${alias ? ` (was \`--${alias}\`)` : ""}`;

/** A folder of this machine, or what this machine can do, depends on the host; `none` where there is no default. */
function fallback({ default: text, required, name }) {
  if (required) return "required";
  if (text === undefined) return "none";
  if (["webui_dir", "launcher", "launcher_dir", "runtime_dir"].includes(name) || text.includes("/mesos/")) {
    return text.startsWith("/mnt") || text.startsWith("/var/run/mesos/") ? code(text) : "depends on the host";
  }
  return text === "" ? "empty" : code(text);
}

function meaning({ meaning: text, support }) {
  const limits = support.allowed === undefined ? "" : ` Only ${support.allowed.map(code).join(", ")}.`;
  return cell(text + limits);
}

const code = (text) => `\`${text.replaceAll("|", "\\|")}\``;
const cell = (text) => text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("*", "\\*");
const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
const page = (title, parts) => `# ${title}\n\n${parts.join("\n\n")}\n`;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const pages = await referencePages(resolve(root, process.argv[2] ?? "dist"));
  for (const [file, text] of Object.entries(pages)) writeFileSync(join(root, file), text);
}
