import { TepuiError } from "../errors/tepui-error.js";

/**
 * A length of time in milliseconds; fractions are allowed, so a nanosecond is 1e-6.
 *
 * A double holds every nanosecond up to 49 days, and every microsecond far beyond.
 *
 * The text form is Mesos's: a number (fraction allowed) and one of the units ns, us, ms, secs, mins, hrs, days, weeks.
 */
export type Duration = number;

const NS_PER_MS = 1_000_000;

/** Milliseconds in each unit, smallest unit first. */
const DURATION_UNITS = {
  ns: 1 / NS_PER_MS,
  us: 1 / 1000,
  ms: 1,
  secs: 1000,
  mins: 60_000,
  hrs: 3_600_000,
  days: 86_400_000,
  weeks: 604_800_000,
} as const;

type DurationUnit = keyof typeof DURATION_UNITS;

/** Nanoseconds in each unit, smallest unit first; integers, because printing must not round. */
const UNITS_NS: readonly (readonly [DurationUnit, bigint])[] = [
  ["ns", 1n],
  ["us", 1_000n],
  ["ms", 1_000_000n],
  ["secs", 1_000_000_000n],
  ["mins", 60_000_000_000n],
  ["hrs", 3_600_000_000_000n],
  ["days", 86_400_000_000_000n],
  ["weeks", 604_800_000_000_000n],
];

/** Mesos keeps a duration in a signed 64-bit count of nanoseconds: some 292 years. */
const MAX_NS = 2n ** 63n - 1n;

const isUnit = (text: string): text is DurationUnit => Object.hasOwn(DURATION_UNITS, text);

/**
 * Reads `10secs`, `1.5hrs`, `500ms`. Units are case-sensitive, there is no space and no sign, as in Mesos.
 *
 * @throws TepuiError TEPUI_VALUE_INVALID
 */
export function parseDuration(text: string): Duration {
  const match = /^([0-9.]*)(.*)$/s.exec(text);
  const digits = match?.[1] ?? "";
  const unit = match?.[2] ?? "";
  if (!/^(\d+\.?\d*|\.\d+)$/.test(digits) || unit === "") {
    throw new TepuiError("TEPUI_VALUE_INVALID", {
      detail: `'${text}' is not a duration; expected a number and a unit, such as 500ms, 10secs or 1.5hrs`,
    });
  }
  if (!isUnit(unit)) {
    throw new TepuiError("TEPUI_VALUE_INVALID", {
      detail: `unknown duration unit '${unit}' in '${text}'; expected one of ${Object.keys(DURATION_UNITS).join(", ")}`,
    });
  }
  const value = Number(digits);
  // Sub-millisecond units divide: 3 / 1000 is the nearest double to 0.003, 3 * 0.001 is not.
  const ms = unit === "ns" ? value / NS_PER_MS : unit === "us" ? value / 1000 : value * DURATION_UNITS[unit];
  if (durationToNs(ms) > MAX_NS) {
    throw new TepuiError("TEPUI_VALUE_INVALID", {
      detail: `the duration '${text}' is longer than 292 years`,
    });
  }
  return ms;
}

/**
 * Prints as Mesos does: the unit is the largest that is not greater than the value, or the next smaller one where that
 * gives a whole number and the larger does not (`90secs`, not `1.5mins`; `10days`, not `1.42857142857143weeks`).
 */
export function formatDuration(duration: Duration): string {
  if (duration < 0) return `-${formatDuration(-duration)}`;
  const ns = durationToNs(duration);
  let index = UNITS_NS.findLastIndex(([, size]) => ns >= size);
  if (index < 0) index = 0;
  const [, size] = UNITS_NS[index]!;
  const smaller = UNITS_NS[index - 1];
  const [unit, chosen] =
    smaller !== undefined && ns % size !== 0n && ns % smaller[1] === 0n ? smaller : UNITS_NS[index]!;
  const value = ns % chosen === 0n ? (ns / chosen).toString() : fifteenDigits(Number(ns) / Number(chosen));
  return `${value}${unit}`;
}

/** Nanoseconds as an integer, rounded to the nearest. */
export function durationToNs(duration: Duration): bigint {
  const whole = Math.trunc(duration);
  return BigInt(whole) * BigInt(NS_PER_MS) + BigInt(Math.round((duration - whole) * NS_PER_MS));
}

/** Exact to the nanosecond up to some 46 days; beyond, as exact as a double can be. */
export function durationFromNs(ns: bigint | number): Duration {
  const integer = BigInt(ns);
  const perMs = BigInt(NS_PER_MS);
  return Number(integer / perMs) + Number(integer % perMs) / NS_PER_MS;
}

/** Mesos prints doubles with 15 significant digits and without trailing zeroes. */
const fifteenDigits = (value: number): string => String(Number(value.toPrecision(15)));
