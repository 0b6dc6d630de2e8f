import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { TepuiError } from "../../sdk/errors/index.js";

const run = promisify(execFile);

/**
 * Checks what unpacking an image takes: root, for the owners of files, and GNU tar, for their extended attributes.
 *
 * @throws TepuiError TEPUI_ISOLATION_UNAVAILABLE saying what is missing and how to get it
 */
export async function checkRequirements(): Promise<void> {
  const refuse = (detail: string): never => {
    throw new TepuiError("TEPUI_ISOLATION_UNAVAILABLE", { detail: `--image_providers=docker ${detail}` });
  };
  if (process.geteuid?.() !== 0) {
    refuse("unpacks the files of images for their owners, which takes root: run the agent as root");
  }
  const version = await run("tar", ["--version"]).then(
    ({ stdout }) => stdout,
    () => "",
  );
  if (!version.includes("GNU tar")) {
    refuse(
      "unpacks layers with GNU tar, which is missing: install the package tar (on Alpine Linux: apk add tar)",
    );
  }
}
