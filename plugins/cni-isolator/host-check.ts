import { readdir, stat } from "node:fs/promises";
import { TepuiError } from "../../sdk/errors/index.js";

/** Throws TEPUI_ISOLATION_UNAVAILABLE where this host or the flags lack what network/cni needs. */
export async function checkHost(flags: { directory: string; pluginPath: string }): Promise<void> {
  if (process.geteuid?.() !== 0) throw unavailable("requires root permissions; run the agent as root");
  for (const kind of ["net", "uts", "mnt"]) {
    await stat(`/proc/self/ns/${kind}`).catch(() => {
      throw unavailable(`needs '${kind}' namespaces, which this kernel lacks`);
    });
  }
  if (flags.pluginPath === "") throw unavailable("needs the flag --network_cni_plugins_dir");
  if (flags.directory === "") throw unavailable("needs the flag --network_cni_config_dir");
  await readdir(flags.directory).catch((error: Error) => {
    throw unavailable(`cannot read --network_cni_config_dir '${flags.directory}': ${error.message}`);
  });
}

const unavailable = (lack: string): TepuiError =>
  new TepuiError("TEPUI_ISOLATION_UNAVAILABLE", { detail: `the isolator network/cni ${lack}` });
