import type { FrameworkRecord, MasterView } from "../../sdk/contracts/master-view.js";
import { TepuiError } from "../../sdk/errors/index.js";

/** So many are listed where one is sought and not found. */
const LISTED = 20;

/**
 * The framework that the text means: an id, else the name of one only, else the end of one id only. Throws
 * TEPUI_EXPLAIN_UNKNOWN_FRAMEWORK or TEPUI_EXPLAIN_AMBIGUOUS_FRAMEWORK with a detail that lists the choice.
 */
export function findFramework(view: MasterView, text: string): FrameworkRecord {
  const exact = view.framework(text);
  if (exact !== undefined) return exact;
  const all = [...view.frameworks()];
  for (const matches of [
    all.filter(({ info }) => info.name === text),
    all.filter(({ id }) => text !== "" && id.endsWith(text)),
  ]) {
    const [only, ...others] = matches;
    if (only === undefined) continue;
    if (others.length === 0) return only;
    throw new TepuiError("TEPUI_EXPLAIN_AMBIGUOUS_FRAMEWORK", { detail: `'${text}' means ${list(matches)}` });
  }
  const ended = [...view.completedFrameworks()].some(({ id, info }) => id === text || info.name === text);
  const unknown = text === "" ? "none is named" : `there is no framework '${text}'`;
  const what = ended ? `'${text}' has ended` : unknown;
  const choice = all.length === 0 ? "no framework is registered" : `there are ${list(all)}`;
  throw new TepuiError("TEPUI_EXPLAIN_UNKNOWN_FRAMEWORK", { detail: `${what}; ${choice}` });
}

function list(frameworks: readonly FrameworkRecord[]): string {
  const shown = frameworks.slice(0, LISTED).map(({ id, info }) => `${id} (${info.name ?? ""})`);
  const more = frameworks.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}
