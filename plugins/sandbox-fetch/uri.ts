import { isAbsolute, join, normalize, posix } from "node:path";
import type { CommandInfo_URI } from "../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../../sdk/errors/index.js";

/** One URI of a command, read. */
export interface FetchItem {
  /** What the fetcher gets: the URI, or the absolute path of a local file. */
  readonly uri: string;
  /** Key of the fetcher. */
  readonly scheme: string;
  /** Where the file goes, relative to the sandbox. */
  readonly name: string;
  /** Its name where it comes from; what kind of archive it is, a cached file is told by it. */
  readonly sourceName: string;
  readonly cache: boolean;
  readonly executable: boolean;
  readonly extract: boolean;
}

const invalid = (uri: string, detail: string): TepuiError =>
  new TepuiError("TEPUI_FETCH_FAILED", { detail: `'${uri}': ${detail}` });

/** @param home Mesos's `frameworks_home`: where relative paths start; empty: they are refused. */
export function readUri(message: CommandInfo_URI, home: string): FetchItem {
  const uri = (message.value ?? "").trimStart();
  if (uri === "") throw invalid(uri, "the URI is empty");
  if (/[\\'\0]/.test(uri)) throw invalid(uri, "the URI contains illegal characters");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(uri)?.[1]?.toLowerCase();
  const base = {
    name: targetName(message, uri),
    sourceName: posix.basename(uri),
    cache: message.cache === true,
    executable: message.executable === true,
    // An executable is never unpacked.
    extract: message.extract !== false && message.executable !== true,
  };
  if (scheme !== undefined && scheme !== "file") return { ...base, uri, scheme };
  return { ...base, uri: localPath(uri, home), scheme: "file" };
}

function localPath(uri: string, home: string): string {
  const path = uri.replace(/^file:\/\/(localhost(?=\/))?/i, "");
  if (isAbsolute(path)) return path;
  if (/^file:/i.test(uri)) throw invalid(uri, "file URIs only support absolute paths");
  if (home === "") throw invalid(uri, "a relative path needs the agent's frameworks_home to be set");
  return join(home, path);
}

function targetName(message: CommandInfo_URI, uri: string): string {
  const given = message.output_file;
  if (given !== undefined && given !== "") {
    const name = normalize(given);
    if (isAbsolute(name) || name === ".." || name.startsWith("../") || name.endsWith("/") || name === ".") {
      throw invalid(uri, `the output file '${given}' is not a path inside the sandbox`);
    }
    return name;
  }
  // Of http://host/a/b.tgz?x=1 Mesos takes "b.tgz?x=1": what follows the last slash.
  const path = uri.replace(/^[a-z][a-z0-9+.-]*:\/\//i, "");
  const name = path.endsWith("/") ? "" : posix.basename(path);
  if (!path.includes("/") && path !== uri) throw invalid(uri, "the URI has no path to take a file name from");
  if (name === "" || name === "." || name === "..") throw invalid(uri, "the URI has no file name");
  return name;
}
