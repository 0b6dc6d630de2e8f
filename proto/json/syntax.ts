// Where a text stops being JSON, in Mesos's words. Runs only when JSON.parse has refused the text.
import { JsonSyntaxError } from "./errors.js";

const WHITESPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings.
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** The error for a text that is not JSON. */
export function syntaxError(text: string): JsonSyntaxError {
  return new Scanner(text).error();
}

/** Steps over the text with an explicit stack of what must close, for the text may nest without limit. */
class Scanner {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  error(): JsonSyntaxError {
    if (!this.#document())
      return new JsonSyntaxError(`syntax error at line ${this.#line()} near: ${this.#rest()}`);
    const trailing = this.#text.slice(this.#at).trim();
    return new JsonSyntaxError(`Parsed JSON included non-whitespace trailing characters: ${trailing}`);
  }

  /** Steps over one value; false where it stops. */
  #document(): boolean {
    const closers: string[] = [];
    for (;;) {
      // Before a value.
      this.#skip(WHITESPACE);
      const start = this.#text[this.#at];
      if (start === "{" || start === "[") {
        this.#at++;
        const closer = start === "{" ? "}" : "]";
        if (!this.#take(closer)) {
          closers.push(closer);
          if (closer === "}" && !this.#key()) return false;
          continue;
        }
      } else if (!this.#scalar(start)) return false;
      // After a value: close what ends here, then the next value of what is still open.
      while (closers.length > 0 && !this.#take(",")) {
        if (!this.#take(closers.pop()!)) return false;
        if (closers.length === 0) return true;
      }
      if (closers.length === 0) return true;
      if (closers.at(-1) === "}" && !this.#key()) return false;
    }
  }

  #key(): boolean {
    this.#skip(WHITESPACE);
    return this.#string() && this.#take(":");
  }

  #scalar(start: string | undefined): boolean {
    switch (start) {
      case '"':
        return this.#string();
      case "t":
        return this.#word("true");
      case "f":
        return this.#word("false");
      case "n":
        return this.#word("null");
      default:
        return this.#skip(NUMBER) !== "";
    }
  }

  #string(): boolean {
    if (this.#text[this.#at] !== '"') return false;
    this.#at++;
    for (;;) {
      this.#skip(PLAIN);
      if (this.#text[this.#at] === '"') break;
      if (this.#skip(ESCAPE) === "") return false;
    }
    this.#at++;
    return true;
  }

  #word(word: string): boolean {
    for (const letter of word) {
      if (this.#text[this.#at] !== letter) return false;
      this.#at++;
    }
    return true;
  }

  /** Takes `char`, after white space, if it is next. */
  #take(char: string): boolean {
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

  #line(): number {
    let line = 1;
    for (let i = this.#text.indexOf("\n"); i >= 0 && i < this.#at; i = this.#text.indexOf("\n", i + 1))
      line++;
    // At the end of the text Mesos has not yet stepped over a last line feed.
    return this.#at === this.#text.length && this.#text.endsWith("\n") ? line - 1 : line;
  }

  /** The rest of the line; control characters are left out. */
  #rest(): string {
    const end = this.#text.indexOf("\n", this.#at);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: see above.
    return this.#text.slice(this.#at, end < 0 ? undefined : end).replace(/[\u0000-\u001f]/g, "");
  }
}
