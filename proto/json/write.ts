// Writing of single values, as Mesos writes them. Called from generated code, hence the short names.

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what JSON must escape.
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/;

/** A string. */
export function s(value: string): string {
  return NEEDS_ESCAPE.test(value) ? JSON.stringify(value) : `"${value}"`;
}

/** Bytes, as base64. */
export function b(value: Uint8Array): string {
  const bytes = Buffer.isBuffer(value)
    ? value
    : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return `"${bytes.toString("base64")}"`;
}

/** A double: always with a fraction or an exponent; what JSON has no number for becomes a string. */
export function d(value: number): string {
  if (Number.isInteger(value)) {
    if (value < 1e21 && value > -1e21) return Object.is(value, -0) ? "-0.0" : `${value}.0`;
    return `${value}`.replace("+", "");
  }
  return Number.isFinite(value) ? `${value}` : `"${value}"`;
}

/** Is a field that has no presence of its own (proto3) to be written? */
export function nonZero(value: string | number | boolean | bigint | Uint8Array | undefined): boolean {
  return typeof value === "object" ? value.length !== 0 : !!value || Number.isNaN(value);
}

/** Number -> name of an enum, in quotes. */
export type EnumNames = Readonly<Record<number, string>>;

/** The named ones of a list of enum values, without brackets. */
export function names(values: readonly number[] | undefined, table: EnumNames): string {
  let text = "";
  for (const value of values ?? []) {
    const name = table[value];
    if (name !== undefined) text += text === "" ? name : `,${name}`;
  }
  return text;
}
