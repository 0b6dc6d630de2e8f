import type { FileInfo } from "../../proto/gen/mesos/v1/mesos.js";
import { extensionPoint } from "../plugin/extension-point.js";

/**
 * What the `/files/...` endpoints and the operator APIs serve: real files and directories under virtual names.
 *
 * Refusals are TepuiErrors with Mesos's texts: TEPUI_FILE_UNKNOWN (404) and TEPUI_FILE_REQUEST_INVALID (400).
 */
export interface Files {
  /**
   * Serves the file or directory at `realPath`, and everything below it, as `virtualPath`. The name is absolute, without a trailing
   * slash; a second attachment of it replaces the first. Nothing needs to be there yet. Returns the undo.
   */
  attach(virtualPath: string, realPath: string): () => void;
  /** The entries of a directory, sorted by name, under the name that it was asked for; none for a file. */
  browse(virtualPath: string): Promise<readonly FileInfo[]>;
  /** Bytes of a file from an offset on, at most 64 KiB; `length` undefined: as many as there are. `size` is that of the whole file. */
  read(part: {
    readonly path: string;
    readonly offset: number;
    readonly length: number | undefined;
  }): Promise<{ readonly size: number; readonly data: Buffer }>;
}

export const Files = extensionPoint<Files, "one">("tepui.files", { version: "1.0", cardinality: "one" });
