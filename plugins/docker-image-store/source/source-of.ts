import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import { TepuiError } from "../../../sdk/errors/index.js";

/** What `--docker_registry` names. */
export type SourcePlace =
  | { readonly kind: "registry"; readonly url: URL }
  | { readonly kind: "directory"; readonly path: string };

/**
 * Reads `--docker_registry`: `https://host:port`, `http://host:port`, a directory, or `file:///directory`.
 *
 * @throws TepuiError TEPUI_VALUE_INVALID
 */
export function sourcePlace(text: string): SourcePlace {
  const refuse = (why: string): never => {
    throw new TepuiError("TEPUI_VALUE_INVALID", { detail: `--docker_registry '${text}' ${why}` });
  };
  if (isAbsolute(text)) return { kind: "directory", path: text };
  if (text.startsWith("hdfs://")) {
    refuse("is a Hadoop file system, which this agent does not read: copy the archives into a directory");
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return refuse("is no URL and no absolute path");
  }
  if (url.protocol === "file:") {
    if (url.host !== "") refuse("names another host: write file:///directory");
    return { kind: "directory", path: fileURLToPath(url) };
  }
  if (url.protocol !== "https:" && url.protocol !== "http:")
    refuse("is neither a registry's URL nor a directory");
  if (url.pathname !== "/" || url.search !== "" || url.username !== "") {
    refuse("must be scheme, host and port only: https://host:port");
  }
  return { kind: "registry", url };
}
