// JSON text to value without loss: JSON.parse rounds integers beyond 2^53, and nanosecond times are such.
import { randomUUID } from "node:crypto";
import { syntaxError } from "./syntax.js";

/** Digits enough to pass 2^53. (Without look-around: then the search skips 16 characters at a time.) */
const MANY_DIGITS = /\d{16}/g;
/** Longer ones are beyond 64 bits, and for a double it is as well to round them. */
const MAX_INTEGER_LENGTH = 20;
/** An integer, not the start of a fraction, and not where a key belongs. */
const INTEGER = /-?[1-9]\d*(?![\d.eE]|\s*:)/y;
const BEFORE_VALUE = ":,[ \t\r\n";

/** Stands before the index of an integer that travels through JSON.parse as a string; no other string can hold it. */
const MARK = `integer ${randomUUID()} `;

/**
 * The value of `text`; integers that a double cannot hold come as bigint. Throws JsonSyntaxError.
 * Objects may hold an own `__proto__` key, never another prototype.
 */
export function parseJson(text: string): unknown {
  const integers: bigint[] = [];
  const marked = markIntegers(text, integers);
  let value: unknown;
  try {
    value = JSON.parse(marked);
  } catch {
    throw syntaxError(text);
  }
  return integers.length === 0 ? value : restoreIntegers(value, integers);
}

/** Moves the integers in question to `integers` and leaves marked strings in their places. */
function markIntegers(text: string, integers: bigint[]): string {
  let made = "";
  let copied = 0;
  const strings = new StringTracker(text);
  MANY_DIGITS.lastIndex = 0;
  for (let digits = MANY_DIGITS.exec(text); digits !== null; digits = MANY_DIGITS.exec(text)) {
    INTEGER.lastIndex = text[digits.index - 1] === "-" ? digits.index - 1 : digits.index;
    const start = INTEGER.lastIndex;
    const integer = INTEGER.exec(text)?.[0];
    MANY_DIGITS.lastIndex = INTEGER.lastIndex > 0 ? INTEGER.lastIndex : endOfDigits(text, digits.index);
    if (integer === undefined || integer.length > MAX_INTEGER_LENGTH || Number.isSafeInteger(Number(integer)))
      continue;
    if (start > 0 && !BEFORE_VALUE.includes(text[start - 1]!)) continue;
    if (strings.contain(start)) continue;
    made += `${text.slice(copied, start)}"${MARK}${integers.length}"`;
    integers.push(BigInt(integer));
    copied = MANY_DIGITS.lastIndex;
  }
  return made + text.slice(copied);
}

function endOfDigits(text: string, from: number): number {
  let end = from;
  while (text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 57) end++;
  return end;
}

/** Tells, for growing positions, whether they lie within a string. */
class StringTracker {
  #inside = false;
  #quote: number;

  constructor(readonly text: string) {
    this.#quote = text.indexOf('"');
  }

  contain(position: number): boolean {
    while (this.#quote >= 0 && this.#quote < position) {
      if (!this.#inside || !this.#escaped()) this.#inside = !this.#inside;
      this.#quote = this.text.indexOf('"', this.#quote + 1);
    }
    return this.#inside;
  }

  #escaped(): boolean {
    let start = this.#quote;
    while (this.text[start - 1] === "\\") start--;
    return (this.#quote - start) % 2 === 1;
  }
}

/** Puts the integers back; without recursion, for the text may nest without limit. */
function restoreIntegers(root: unknown, integers: readonly bigint[]): unknown {
  const holder = { root };
  const pending: Record<string, unknown>[] = [holder];
  for (let object = pending.pop(); object !== undefined; object = pending.pop()) {
    for (const key in object) {
      const value = object[key];
      if (typeof value === "string") {
        if (value.startsWith(MARK)) define(object, key, integers[Number(value.slice(MARK.length))]);
      } else if (typeof value === "object" && value !== null) pending.push(value as Record<string, unknown>);
    }
  }
  return holder.root;
}

function define(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}
