import { execFile } from "node:child_process";
import { realpath, stat } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A program of this host with all that it needs to run elsewhere: by path, where its content is. Perl comes with its essential modules. */
export async function programFiles(program: string): Promise<Map<string, string>> {
  const path = (await run("sh", ["-c", 'command -v "$1"', "sh", program])).stdout.trim();
  const files = new Map([[path, await realpath(path)]]);
  for (const library of await librariesOf(path)) files.set(library, await realpath(library));
  if (program === "perl") for (const file of await perlModules()) files.set(file, file);
  return files;
}

/** What the dynamic linker would load, the linker itself included. */
async function librariesOf(path: string): Promise<string[]> {
  const listed = await run("ldd", [path]).catch(() => ({ stdout: "" }));
  return [...listed.stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, library]) => library!);
}

/** Those that Debian counts as essential. */
async function perlModules(): Promise<string[]> {
  const { stdout } = await run("dpkg-query", ["-L", "perl-base"]);
  const files = stdout.split("\n").filter((file) => file.startsWith("/usr/lib/"));
  const kinds = await Promise.all(files.map((file) => stat(file)));
  return files.filter((_, index) => kinds[index]!.isFile());
}
