import { TepuiError } from "../errors/tepui-error.js";

/** A share of a whole, 0 to 1. The text form is `0%` to `100%`, fractions allowed (`12.5%`). */
export type Percent = number;

/**
 * Reads `50%` as 0.5.
 *
 * @throws TepuiError TEPUI_VALUE_INVALID
 */
export function parsePercent(text: string): Percent {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text);
  const value = Number(match?.[1]);
  if (match === null || value > 100) {
    throw new TepuiError("TEPUI_VALUE_INVALID", {
      detail: `'${text}' is not a percentage; expected 0% to 100%`,
    });
  }
  return value / 100;
}

/** `12.5%`. */
export function formatPercent(percent: Percent): string {
  return `${Number((percent * 100).toPrecision(15))}%`;
}
