/** How a file is unpacked: a command and its arguments, to be run in the directory that takes the content. */
export interface Unpacking {
  readonly command: readonly [string, ...string[]];
  /** File for the command's output, relative to the directory; absent where the command writes files itself. */
  readonly output?: string;
}

const ZIP = /\.zip$/;
const TAR = /\.(tar|tgz|tar\.gz|tbz2|tar\.bz2|txz|tar\.xz)$/;
const GZIP = /\.gz$/;

/** By the name's ending, as Mesos tells archives; undefined for a file that is none. */
export function unpackingOf(name: string, path: string): Unpacking | undefined {
  if (TAR.test(name)) return { command: ["tar", "-xf", path] };
  if (ZIP.test(name)) return { command: ["unzip", "-o", "-q", path] };
  if (!GZIP.test(name)) return undefined;
  return { command: ["gzip", "-d", "-c", path], output: name.replace(GZIP, "").split("/").at(-1)! };
}

/** The command, with its output in the file where it has one. */
export function unpackingCommand({ command, output }: Unpacking): readonly [string, ...string[]] {
  if (output === undefined) return command;
  // A link that another archive left there may lead out of the sandbox.
  return [
    "sh",
    "-c",
    'out=./$1; shift; [ ! -h "$out" ] || rm -f "$out"; exec "$@" > "$out"',
    "sh",
    output,
    ...command,
  ];
}
