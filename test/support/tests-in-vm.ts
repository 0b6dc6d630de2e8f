import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import Mocha, { type Suite } from "mocha";
import { packageRoot } from "../../core/flags/package-root.js";
import type { Content } from "./initramfs.js";
import { runInVm, type VmRun } from "./kernel-vm.js";
import type { CaseOutcome } from "./run-cases.js";

/** Test files that are to pass on another kernel, too. */
export interface VmTests extends Omit<VmRun, "command"> {
  /** Compiled, from the root of what is compiled, e.g. `test/sdk/node-cgroup/cgroups.system.test.js`. */
  readonly specs: readonly string[];
  /** Of their cases, those whose title matches: a regular expression, without single quotes. */
  readonly grep?: string;
  /** npm packages that they load, beside mocha and chai; those that these depend on come along. */
  readonly packages?: readonly string[];
}

const REPORT = "@@report:";

/** Runs mocha inside the virtual machine, and gives what came of each case. */
export async function runTestsInVm({
  specs,
  grep = ".",
  packages = [],
  ...vm
}: VmTests): Promise<CaseOutcome[]> {
  const compiled = join(import.meta.dirname, "../..");
  const files: Record<string, Content> = {
    "/tepui/package.json": { from: join(packageRoot, "package.json") },
    "/tepui/manifests": { from: join(packageRoot, "manifests") },
  };
  for (const folder of ["core", "plugins", "proto", "sdk", "test"])
    files[`/tepui/dist/${folder}`] = { from: join(compiled, folder) };
  for (const directory of await packageClosure(["mocha", "chai", ...packages]))
    files[`/tepui/${directory}`] = { from: join(packageRoot, directory) };
  const report = "/tmp/report.json";
  const argv = [report, `'${grep}'`, ...specs.map((spec) => `dist/${spec}`)].join(" ");
  const mocha = `TEPUI_TEST_PATIENCE=8 node --enable-source-maps dist/test/support/run-cases.js ${argv}`;
  const result = await runInVm({
    ...vm,
    files: { ...files, ...vm.files },
    programs: ["node", ...(vm.programs ?? [])],
    command: `cd /tepui; ${mocha} > /tmp/log 2>&1; code=$?; cat /tmp/log; echo; echo '${REPORT}'; cat ${report}; exit $code`,
  });
  const start = result.output.lastIndexOf(REPORT);
  const cases = parseReport(result.output.slice(start + REPORT.length));
  if (cases === undefined)
    throw new Error(
      `mocha ended with ${result.code} and no report:\n${result.output}\n${result.console.slice(-3000)}`,
    );
  return cases;
}

/** To be called in a `before`: each case of the virtual machine becomes one of the suite. */
export function addCases(suite: Suite, cases: readonly CaseOutcome[]): void {
  for (const { title, outcome, error } of cases) {
    const test =
      outcome === "skipped"
        ? new Mocha.Test(title)
        : new Mocha.Test(title, () => {
            if (outcome === "failed") throw new Error(error);
          });
    suite.addTest(test);
  }
}

function parseReport(text: string): CaseOutcome[] | undefined {
  try {
    return JSON.parse(text) as CaseOutcome[];
  } catch {
    return undefined;
  }
}

/** Directories, from the package's root, of packages and of all that they depend on, as npm has laid them out. */
async function packageClosure(names: readonly string[]): Promise<string[]> {
  const lock = JSON.parse(await readFile(join(packageRoot, "package-lock.json"), "utf8")) as {
    packages: Record<string, { dependencies?: Record<string, string> }>;
  };
  const found = new Set<string>();
  const visit = (name: string, from: string): void => {
    const place = [...ancestors(from)]
      .map((folder) => join(folder, "node_modules", name))
      .find((each) => each in lock.packages);
    if (place === undefined || found.has(place)) return;
    found.add(place);
    for (const dependency of Object.keys(lock.packages[place]?.dependencies ?? {})) visit(dependency, place);
  };
  for (const name of names) visit(name, "");
  return [...found];
}

/** Where Node looks for packages, from the inside out. */
function* ancestors(folder: string): Generator<string> {
  for (let place = folder; place !== "."; place = dirname(place)) if (place !== "") yield place;
  yield "";
}
