/**
 * Scalars are integers of 1/1000 inside: Mesos keeps three decimals, rounds the rest away, and promises that sums and
 * differences are exact at that precision. Source: docs/attributes-resources.md and src/common/values.cpp of Mesos.
 */

/** The largest scalar that keeps all its decimals exact in a double: some 9 * 10^12. */
export const MAX_SCALAR = Math.floor(Number.MAX_SAFE_INTEGER / 1000);

/** A quantity as thousandths, halves rounded away from zero. */
export function toMilli(value: number): number {
  return value < 0 ? -Math.round(-value * 1000) : Math.round(value * 1000);
}

/** Thousandths as a quantity; 1500 is 1.5. */
export function fromMilli(milli: number): number {
  return milli / 1000;
}

/** A quantity as Mesos writes it in texts: `2`, `0.5`, at most 15 significant digits. */
export function scalarText(milli: number): string {
  return String(Number((milli / 1000).toPrecision(15)));
}

/** A double as Mesos writes it in JSON, always with a fraction or an exponent: `2.0`, `0.5`, `1e30`. */
export function doubleJson(value: number): string {
  if (!Number.isInteger(value)) return String(value);
  return Math.abs(value) < 1e21 ? `${value}.0` : String(value).replace("+", "");
}

/** A quantity as Mesos writes it in JSON: `2.0`, `0.5`. */
export function scalarJson(milli: number): string {
  return milli % 1000 === 0 ? `${milli / 1000}.0` : String(milli / 1000);
}
