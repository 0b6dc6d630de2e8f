// Writes the reference pages that come from tables in the code: docs/errors.md, docs/flags.md, docs/manifest.schema.json.
//   node scripts/reference.mjs [folder of the compiled program, default dist]
// A test holds the pages against the tables.
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { root } from "./steps.mjs";

/** The pages by file name. `compiled` is the folder with the compiled program. */
export async function referencePages(compiled) {
  const load = (path) => import(pathToFileURL(join(compiled, path)).href);
  const { publishedSchema } = await load("core/manifest/published-schema.js");
  const { DAEMON_FLAGS } = await load("core/flags/daemon-flags.js");
  const { ERRORS, ERROR_KINDS } = await load("sdk/errors/table.js");
  return {
    "docs/errors.md": errorsPage(ERRORS, ERROR_KINDS),
    "docs/flags.md": flagsPage(DAEMON_FLAGS),
    "docs/manifest.schema.json": `${JSON.stringify(publishedSchema(), null, 2)}\n`,
  };
}

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
      "This page is made from `core/flags/master-flags.ts` and `core/flags/agent-flags.ts`.",
    ...sections,
  ]);
}

const names = ({ name, alias }) => `\`--${name}\`${alias ? ` (was \`--${alias}\`)` : ""}`;

/** A default that is a folder of this machine depends on the host; `none` where there is none. */
function fallback({ default: text, required, name }) {
  if (required) return "required";
  if (text === undefined) return "none";
  if (["webui_dir", "launcher_dir", "runtime_dir"].includes(name) || text.includes("/mesos/")) {
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
