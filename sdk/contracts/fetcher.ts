import { extensionPoint } from "../plugin/extension-point.js";

export interface FetchRequest {
  /** The URI as given; for a scheme-less one the absolute path. */
  readonly uri: string;
  /** File to write; its directory exists. */
  readonly destination: string;
  /** Give up when nothing arrives for this long, in milliseconds. */
  readonly stallTimeout: number;
  readonly signal: AbortSignal;
  /** Read what is on this host with the rights of this user; absent: the agent's own. */
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
}

/** Downloads one URI of its scheme to a file. Rejects with TepuiError `TEPUI_FETCH_FAILED` naming the URI and the cause. */
export interface Fetcher {
  fetch(request: FetchRequest): Promise<void>;
}

/** Keyed by URI scheme without colon: `file`, `http`, `https`. Scheme-less URIs are `file`. */
export const Fetcher = extensionPoint<Fetcher, "keyed">("tepui.fetcher", {
  version: "1.0",
  cardinality: "keyed",
});
