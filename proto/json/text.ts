// JSON text to value. JSON.parse does the work wherever it gives the right answer; the parser below takes over for integers
// that a double cannot hold (nanosecond times are such) and for text that is wrong, where clients know Mesos's words.
import { JsonSyntaxError } from "./errors.js";

/** A run of 16 digits where a number may start; inside a string it costs only the slower parser. */
const LONG_INTEGER = /[:,[\s-]\d{16}/;

/** Deeper text than this is refused: no message of ours nests a quarter as deep. */
const MAX_DEPTH = 400;

/**
 * The value of `text`; integers beyond 2^53 come as bigint. Throws JsonSyntaxError.
 * Objects may hold an own `__proto__` key, never another prototype.
 */
export function parseJson(text: string): unknown {
  if (!LONG_INTEGER.test(text)) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // The own parser below finds the same fault and words it.
    }
  }
  return new Parser(text).document();
}

const WHITESPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
/** Everything in a string up to what needs a decision; control characters end it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings.
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

class Parser {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  document(): unknown {
    const value = this.#value(0);
    this.#skip(WHITESPACE);
    if (this.#at < this.#text.length) {
      throw new JsonSyntaxError(
        `Parsed JSON included non-whitespace trailing characters: ${this.#text.slice(this.#at).trimEnd()}`,
      );
    }
    return value;
  }

  #value(depth: number): unknown {
    this.#skip(WHITESPACE);
    if (depth > MAX_DEPTH) throw new JsonSyntaxError(`JSON is nested deeper than ${MAX_DEPTH} levels`);
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth);
      case "[":
        return this.#array(depth);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#at++;
    if (this.#next("}")) return object;
    do {
      this.#skip(WHITESPACE);
      const key = this.#string();
      if (!this.#next(":")) this.#fail();
      const value = this.#value(depth + 1);
      if (key === "__proto__")
        Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
      else object[key] = value;
    } while (this.#next(","));
    if (!this.#next("}")) this.#fail();
    return object;
  }

  #array(depth: number): unknown[] {
    const array: unknown[] = [];
    this.#at++;
    if (this.#next("]")) return array;
    do array.push(this.#value(depth + 1));
    while (this.#next(","));
    if (!this.#next("]")) this.#fail();
    return array;
  }

  #string(): string {
    const start = this.#at;
    if (this.#text[start] !== '"') this.#fail();
    this.#at++;
    for (;;) {
      this.#skip(PLAIN);
      if (this.#text[this.#at] === '"') break;
      if (this.#skip(ESCAPE) === "") this.#fail();
    }
    this.#at++;
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  #word<T>(word: string, value: T): T {
    for (const letter of word) {
      if (this.#text[this.#at] !== letter) this.#fail();
      this.#at++;
    }
    return value;
  }

  #number(): number | bigint {
    const text = this.#skip(NUMBER);
    if (text === "" || text === undefined) this.#fail();
    const value = Number(text);
    return Number.isSafeInteger(value) || /[.eE]/.test(text) ? value : BigInt(text);
  }

  /** Takes `char`, after white space, if it is next. */
  #next(char: string): boolean {
    this.#skip(WHITESPACE);
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += taken.length;
    return taken;
  }

  #fail(): never {
    let line = 1;
    for (let i = 0; i < this.#at; i++) if (this.#text[i] === "\n") line++;
    // At the end of the text Mesos has not yet stepped over a last line feed.
    if (this.#at === this.#text.length && this.#text.endsWith("\n")) line--;
    const rest = /[^\n]*/y;
    rest.lastIndex = this.#at;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: Mesos leaves them out of the message.
    const near = (rest.exec(this.#text)?.[0] ?? "").replace(/[\u0000-\u001f]/g, "");
    throw new JsonSyntaxError(`syntax error at line ${line} near: ${near}`);
  }
}
