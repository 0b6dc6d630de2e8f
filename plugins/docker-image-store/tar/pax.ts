import { invalid } from "../refusals.js";

/** Records of a pax header (`<length> <key>=<value>\n`); values are bytes, one character each. */
export function parsePax(data: Buffer): Map<string, string> {
  const text = data.toString("latin1");
  const records = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    const space = text.indexOf(" ", at);
    const length = space < 0 ? Number.NaN : Number(text.slice(at, space));
    const end = at + length;
    const equals = text.indexOf("=", space);
    const sound =
      Number.isSafeInteger(length) &&
      end <= text.length &&
      equals > space + 1 &&
      equals < end &&
      text[end - 1] === "\n";
    if (!sound) throw invalid("the archive has a malformed pax header");
    records.set(text.slice(space + 1, equals), text.slice(equals + 1, end - 1));
    at = end;
  }
  return records;
}

/** The records as `parsePax` reads them. */
export function formatPax(records: ReadonlyMap<string, string>): Buffer {
  const lines = [...records].map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    // The length counts its own digits.
    let length = rest.length + 1;
    while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
    return `${length}${rest}`;
  });
  return Buffer.from(lines.join(""), "latin1");
}
