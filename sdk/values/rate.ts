import { TepuiError } from "../errors/tepui-error.js";
import { type Duration, formatDuration, parseDuration } from "./duration.js";

/** So many events in such a time, as in Mesos's `--agent_removal_rate_limit=1/10mins`. */
export interface Rate {
  /** A positive integer. */
  readonly count: number;
  /** Milliseconds, greater than zero. */
  readonly per: Duration;
}

/**
 * Reads `N/duration`.
 *
 * @throws TepuiError TEPUI_VALUE_INVALID
 */
export function parseRate(text: string): Rate {
  const match = /^(\d+)\/([^/]+)$/.exec(text);
  const count = Number(match?.[1]);
  if (match === null || !Number.isSafeInteger(count) || count < 1) {
    throw new TepuiError("TEPUI_VALUE_INVALID", {
      detail: `'${text}' is not a rate; expected a positive integer, a slash and a duration, such as 1/10mins`,
    });
  }
  const per = parseDuration(match[2]!);
  if (per <= 0) {
    throw new TepuiError("TEPUI_VALUE_INVALID", {
      detail: `the time of the rate '${text}' must be longer than zero`,
    });
  }
  return { count, per };
}

/** `1/10mins`: so many in so long. */
export function formatRate(rate: Rate): string {
  return `${rate.count}/${formatDuration(rate.per)}`;
}
