import { TepuiError } from "../errors/tepui-error.js";

/** A size in bytes, an integer. The text form is Mesos's: an integer and one of B, KB, MB, GB, TB, in steps of 1024. */
export type Bytes = number;

/** Bytes in each unit, smallest first. */
const BYTE_UNITS = {
  B: 1,
  KB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
} as const;

type ByteUnit = keyof typeof BYTE_UNITS;

const isUnit = (text: string): text is ByteUnit => Object.hasOwn(BYTE_UNITS, text);

/**
 * Reads `2GB`, `64mb`, `0B`. Units are case-insensitive; fractions and bare numbers are errors, as in Mesos.
 *
 * @throws TepuiError TEPUI_VALUE_INVALID
 */
export function parseBytes(text: string): Bytes {
  const match = /^(\d+)([^\d.].*)$/s.exec(text);
  if (match === null) {
    const why =
      /^\d*\.\d*/.test(text) && text !== "" ? "fractions are not allowed" : "expected an integer and a unit";
    throw new TepuiError("TEPUI_VALUE_INVALID", {
      detail: `'${text}' is not a size; ${why}, such as 512B, 64MB or 2GB`,
    });
  }
  const unit = match[2]!.toUpperCase();
  if (!isUnit(unit)) {
    throw new TepuiError("TEPUI_VALUE_INVALID", {
      detail: `unknown size unit '${match[2]}' in '${text}'; expected one of ${Object.keys(BYTE_UNITS).join(", ")}`,
    });
  }
  const bytes = Number(match[1]) * BYTE_UNITS[unit];
  if (!Number.isSafeInteger(bytes)) {
    throw new TepuiError("TEPUI_VALUE_INVALID", { detail: `the size '${text}' is too large` });
  }
  return bytes;
}

/** Prints with the largest unit that divides the size: `4KB` for 4096, `4097B` for 4097, `0B` for 0. */
export function formatBytes(bytes: Bytes): string {
  let chosen: ByteUnit = "B";
  if (bytes !== 0) {
    for (const [unit, size] of Object.entries(BYTE_UNITS)) {
      if (bytes % size === 0) chosen = unit as ByteUnit;
    }
  }
  return `${bytes / BYTE_UNITS[chosen]}${chosen}`;
}
