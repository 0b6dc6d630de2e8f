import { extensionPoint } from "../plugin/extension-point.js";

/** What the `/files/...` endpoints serve: real files and directories under virtual names. */
export interface Files {
  /**
   * Serves the file or directory at `realPath`, and everything below it, as `virtualPath`. The name is absolute, without a trailing
   * slash; a second attachment of it replaces the first. Nothing needs to be there yet. Returns the undo.
   */
  attach(virtualPath: string, realPath: string): () => void;
}

export const Files = extensionPoint<Files, "one">("tepui.files", { version: "1.0", cardinality: "one" });
