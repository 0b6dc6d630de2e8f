import { access, constants, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";

/** Where tools for administrators lie, which PATH may leave out. */
const SYSTEM = ["/usr/sbin", "/sbin"];

/** The path of a program, which may be given as one already; undefined: it cannot be run. */
export async function findProgram(name: string): Promise<string | undefined> {
  const places = [...(process.env.PATH ?? "").split(delimiter), ...SYSTEM];
  const candidates = isAbsolute(name) ? [name] : places.filter(isAbsolute).map((place) => join(place, name));
  for (const path of candidates) {
    try {
      await access(path, constants.X_OK);
      if ((await stat(path)).isFile()) return path;
    } catch {
      // Not there.
    }
  }
  return undefined;
}
