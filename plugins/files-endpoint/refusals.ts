import { TepuiError } from "../../sdk/errors/index.js";

/** Nothing is there. As Mesos, without a word. */
export const noSuchFile = (): TepuiError => new TepuiError("TEPUI_FILE_UNKNOWN", { detail: "" });

/** @param text Mesos's, as far as Mesos has one */
export const refused = (text: string): TepuiError =>
  new TepuiError("TEPUI_FILE_REQUEST_INVALID", { detail: `${text}.\n` });
