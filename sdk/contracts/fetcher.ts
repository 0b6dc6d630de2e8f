import { extensionPoint } from "../plugin/extension-point.js";

/** What is there to be fetched. */
export interface FetchSource {
  /** The URI as given; for a scheme-less one the absolute path. */
  readonly uri: string;
  /** Give up when nothing arrives for this long, in milliseconds. */
  readonly stallTimeout: number;
  readonly signal: AbortSignal;
  /** Read what is on this host with the rights of this user; absent: the agent's own. */
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
}

export interface FetchRequest extends FetchSource {
  /** File to write; its directory exists. */
  readonly destination: string;
}

/** Downloads one URI of its scheme to a file. Rejects with TepuiError `TEPUI_FETCH_FAILED` naming the URI and the cause. */
export interface Fetcher {
  fetch(request: FetchRequest): Promise<void>;
  /** Bytes that it would fetch, told without fetching them; needed where files are to be cached. Rejects where that is not known. */
  size?(source: FetchSource): Promise<number>;
}

/** Keyed by URI scheme without colon: `file`, `http`, `https`. Scheme-less URIs are `file`. */
export const Fetcher = extensionPoint<Fetcher, "keyed">("tepui.fetcher", {
  version: "1.0",
  cardinality: "keyed",
});
