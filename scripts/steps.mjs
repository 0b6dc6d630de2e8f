// What must be there before anything runs: dependencies, generated code, compiled code. Each step is skipped when its inputs
// have not changed. Uses Node's own modules only, because it runs before anything is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const bin = (name, file) => join(root, "node_modules", name, file);

/** Runs a command with Node, shows its output only when it fails, and ends this process then. */
function step(label, args, options = {}) {
  const began = process.hrtime.bigint();
  process.stderr.write(`${label} ... `);
  const done = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    ...options,
  });
  if (done.status !== 0) {
    process.stderr.write(`failed\n${done.stdout ?? ""}${done.stderr ?? ""}`);
    process.stderr.write(
      `\n'node ${args.join(" ")}' ended with ${done.status ?? done.signal ?? done.error}\n`,
    );
    process.exit(1);
  }
  process.stderr.write(`${(Number(process.hrtime.bigint() - began) / 1e9).toFixed(1)} s\n`);
}

/** Hash of files and, for folders, of every file below them that `keep` accepts. */
function hashOf(paths, keep = () => true) {
  const hash = createHash("sha256");
  const add = (path) => {
    hash.update(path).update(readFileSync(join(root, path)));
  };
  const walk = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (keep(path)) add(path);
    }
  };
  for (const path of paths) {
    if (path.endsWith("/")) walk(path.slice(0, -1));
    else add(path);
  }
  return hash.digest("hex");
}

function once(stamp, key, work) {
  const file = join(root, stamp);
  if (existsSync(file) && readFileSync(file, "utf8") === key) return;
  work();
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, key);
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  process.stderr.write(`Tepui needs Node 20.19 or newer; this is ${process.versions.node}.\n`);
  process.exit(1);
}

/** Where npm's own entry file is: given when npm runs us, else beside this Node. */
function npmCli() {
  const candidates = [
    process.env.npm_execpath,
    join(dirname(process.execPath), "../lib/node_modules/npm/bin/npm-cli.js"),
    "/usr/share/nodejs/npm/bin/npm-cli.js",
  ];
  const found = candidates.find((path) => path?.endsWith(".js") && existsSync(path));
  if (found) return found;
  process.stderr.write("npm was not found; run 'npm ci' yourself, then this command again.\n");
  process.exit(1);
}

export function install() {
  checkNode();
  once("node_modules/.tepui-installed", hashOf(["package-lock.json"]), () => {
    step("installing dependencies", [npmCli(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
  });
}

export function generate() {
  const inputs = [
    "buf.yaml",
    "buf.gen.yaml",
    "package-lock.json",
    "scripts/generate.mjs",
    "scripts/generate/",
    "proto/",
  ];
  const sources = (path) => !path.startsWith(join("proto", "gen"));
  once("proto/gen/.stamp", hashOf(inputs, sources), () =>
    step("generating the wire code", ["scripts/generate.mjs"]),
  );
}

export function compile() {
  // The compiler is incremental, but it leaves the output of deleted sources behind: start over when a source is gone.
  const sources = ["bin", "core", "plugins", "sdk", "proto", "test", "examples"].filter((f) =>
    existsSync(join(root, f)),
  );
  const listed = createHash("sha256");
  const visit = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (path.endsWith(".ts")) listed.update(path);
    }
  };
  for (const folder of sources) visit(folder);
  const key = listed.digest("hex");
  const stamp = join(root, "dist/.sources");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== key)
    rmSync(join(root, "dist"), { recursive: true, force: true });
  step("compiling", [bin("typescript", "bin/tsc"), "-p", "."]);
  writeFileSync(stamp, key);
}

export function build() {
  install();
  generate();
  compile();
}
