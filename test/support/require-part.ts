import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Context } from "mocha";

const PLACES = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin", "/usr/lib/cni"];

/** A test, or what else can do without. */
export type Skippable = Pick<Context, "skip">;

/** Where a program is; undefined where this machine lacks it. */
export function findProgram(name: string): string | undefined {
  return PLACES.map((place) => join(place, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * For tests that need a part of the system: its path. Where it is missing the test is skipped by name, and fails in CI, which has to
 * install it.
 *
 * @param from the Debian package that brings it
 */
export function requirePart(test: Skippable, program: string, from: string): string {
  const path = findProgram(program);
  return path ?? lacking(test, `${program} is missing: apt-get install ${from}`);
}

/** Likewise for anything else: root, a controller, a kernel feature. */
export function requireThat(test: Skippable, holds: boolean, lack: string): void {
  if (!holds) lacking(test, lack);
}

function lacking(test: Skippable, lack: string): never {
  if (process.env.CI === "true") throw new Error(lack);
  process.stderr.write(`      skipped: ${lack}\n`);
  return test.skip();
}
