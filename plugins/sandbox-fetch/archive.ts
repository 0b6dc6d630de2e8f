import type { SandboxProgram } from "./sandbox-program.js";

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

/** To a file; a link that another archive left there may lead out of the sandbox. */
const TO_FILE = 'out=./$1; shift; [ ! -h "$out" ] || rm -f "$out"; exec "$@" > "$out"';

/**
 * Where links that another archive left lead out of the sandbox, unpacks beside them, and fails where a directory would have to take the place of
 * one: tar and unzip follow links that were there before, and their user may be root.
 */
const AMONG_LINKS = `
top=$(pwd -P)
if find . -type l -exec sh -c '
  top=$1; shift
  for link; do case "$(readlink -f -- "$link")/" in "$top"/*) ;; *) exit 1 ;; esac; done
' sh "$top" {} +; then exec "$@"; fi
new=$(mktemp -d ./.unpacked-XXXXXXXX) || exit
chmod --reference=. "$new"
(cd "$new" && "$@") && cp -al --remove-destination "$new/." .
status=$?
rm -rf "$new"
exit $status
`;

export function unpackingProgram({ command, output }: Unpacking): Pick<SandboxProgram, "command" | "name"> {
  const [name] = command;
  if (output === undefined) return { name, command: ["sh", "-c", AMONG_LINKS, "sh", ...command] };
  return { name, command: ["sh", "-c", TO_FILE, "sh", output, ...command] };
}
