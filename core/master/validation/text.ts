/** Prefixes a problem with the name of the part that has it. */
export const invalid = (what: string, problem: string | undefined): string | undefined =>
  problem === undefined ? undefined : `Invalid ${what}: ${problem}`;

/** The first problem found in the items. */
export function first<T>(
  items: readonly T[],
  problemOf: (item: T) => string | undefined,
): string | undefined {
  for (const item of items) {
    const problem = problemOf(item);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** A set the way Mesos prints it: `{ a, b }`. */
export function setText(items: Iterable<string>): string {
  return `{ ${[...items].join(", ")} }`;
}

/**
 * A number the way a C++ stream prints it: six significant digits, and for very large or small numbers an exponent of at least two digits.
 */
export function shortNumber(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  const text = value.toPrecision(6);
  if (!text.includes("e")) {
    const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
    if (exponent >= -4) return String(Number(text));
  }
  const [mantissa = "", exponent = "+0"] = value.toExponential(5).split("e");
  const digits = exponent.slice(1).padStart(2, "0");
  return `${Number(mantissa)}e${exponent[0]}${digits}`;
}
