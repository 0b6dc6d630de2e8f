import { messageOf, TepuiError } from "../../sdk/errors/index.js";

/** It is not there. */
export const notFound = (detail: string): TepuiError => new TepuiError("TEPUI_IMAGE_NOT_FOUND", { detail });

/** It is there, and is not what it should be; another attempt would end the same. */
export const invalid = (detail: string, cause?: unknown): TepuiError =>
  new TepuiError("TEPUI_IMAGE_INVALID", { detail, cause });

/** It could not be had this time. */
export const pullFailed = (detail: string, cause?: unknown): TepuiError =>
  new TepuiError("TEPUI_IMAGE_PULL_FAILED", { detail, cause });

/** Text that must be JSON, of an image or a registry. */
export function parseJson(text: Buffer | string, what: string): unknown {
  try {
    return JSON.parse(text.toString());
  } catch (error) {
    throw invalid(`${what} is not JSON: ${messageOf(error)}`, error);
  }
}
