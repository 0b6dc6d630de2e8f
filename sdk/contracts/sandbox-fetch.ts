import { extensionPoint } from "../plugin/extension-point.js";
import type { ContainerRequest } from "./containerizer.js";

/** Puts what a command's URIs name into its sandbox: fetched, unpacked, made executable, from the cache where it may be. */
export interface SandboxFetch {
  /**
   * Resolves at once when there is nothing to fetch. Rejects with TEPUI_FETCH_FAILED naming the URI and the cause.
   *
   * @param options.user OS user who is to own what is fetched; undefined: the agent's own.
   */
  fetch(options: {
    readonly request: ContainerRequest;
    readonly user: string | undefined;
    readonly signal: AbortSignal;
  }): Promise<void>;
}

export const SandboxFetch = extensionPoint<SandboxFetch, "one">("tepui.sandbox-fetch", {
  version: "1.0",
  cardinality: "one",
});
