import type { RootfsBackend } from "../../sdk/contracts/image.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { TepuiError } from "../../sdk/errors/index.js";

/** Tried in this order where none is named; `bind` is for few images only, and has to be asked for. */
const PREFERRED = ["overlay", "copy"] as const;

/**
 * The name of the backend for new root file systems: the one asked for, or the first that this host can use.
 *
 * @throws TepuiError TEPUI_ISOLATION_UNAVAILABLE saying why none is
 */
export async function chooseBackend(options: {
  readonly wanted: string | undefined;
  readonly backends: ReadonlyMap<string, RootfsBackend>;
  /** Below which root file systems will be; existing. */
  readonly directory: string;
  readonly logger: Logger;
}): Promise<string> {
  const { wanted, backends, directory, logger } = options;
  const refuse = (detail: string): never => {
    throw new TepuiError("TEPUI_ISOLATION_UNAVAILABLE", { detail });
  };
  if (wanted !== undefined) {
    const backend = backends.get(wanted);
    if (backend === undefined) {
      return refuse(
        `--image_provisioner_backend=${wanted}: there is no such backend; there are ${[...backends.keys()].join(", ") || "none"}`,
      );
    }
    const why = await backend.unusable(directory);
    return why === undefined ? wanted : refuse(`--image_provisioner_backend=${wanted}: ${why}`);
  }
  const reasons: string[] = [];
  for (const name of PREFERRED) {
    const why = backends.has(name) ? await backends.get(name)!.unusable(directory) : "it is not loaded";
    if (why === undefined) return name;
    reasons.push(`${name}: ${why}`);
    logger.info({ backend: name, why }, "a backend for root file systems cannot be used");
  }
  return refuse(`--image_providers: no backend for root file systems can be used; ${reasons.join("; ")}`);
}
