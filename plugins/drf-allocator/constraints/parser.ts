import {
  type CharacterSet,
  type Expression,
  LAST_CODE_POINT,
  perlClass,
  posixClass,
  type Range,
  SyntaxProblem,
  unicodeClass,
} from "./syntax.js";

/** The largest count of a repetition, also of repetitions within each other. */
const MAX_REPEAT = 1000;
/** How deep parentheses may be within each other. */
const MAX_DEPTH = 1000;

const ESCAPED: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

interface Flags {
  readonly fold: boolean;
  readonly lines: boolean;
  readonly dotAll: boolean;
}

const EMPTY: Expression = { kind: "empty" };

/**
 * Reads the syntax of RE2 (with Perl's classes and escapes, without anything that needs backtracking). Throws a `SyntaxProblem` in
 * RE2's words.
 *
 * Source: RE2's syntax page.
 */
export function parse(pattern: string): Expression {
  return new Parser(pattern).parse();
}

class Parser {
  private readonly characters: readonly string[];
  private place = 0;
  private depth = 0;
  private flags: Flags = { fold: false, lines: false, dotAll: false };

  constructor(private readonly pattern: string) {
    this.characters = [...pattern];
  }

  parse(): Expression {
    const expression = this.choice();
    if (this.place < this.characters.length) throw new SyntaxProblem(`unexpected ): ${this.pattern}`);
    return expression;
  }

  private choice(): Expression {
    const { flags } = this;
    const options = [this.sequence()];
    while (this.take("|")) options.push(this.sequence());
    this.flags = flags;
    return options.length === 1 ? options[0]! : { kind: "choice", options };
  }

  private sequence(): Expression {
    const parts: Expression[] = [];
    while (this.place < this.characters.length && this.peek() !== "|" && this.peek() !== ")") {
      const start = this.place;
      if (this.rest(2) === "\\Q") parts.push(...this.quoted());
      // A repetition after a quotation is of its last character.
      const atom = this.place > start ? parts.pop() : this.atom();
      if (atom !== undefined) parts.push(this.repeated(atom, start));
    }
    return parts.length === 1 ? parts[0]! : parts.length === 0 ? EMPTY : { kind: "sequence", parts };
  }

  /** Undefined for what is only about the rest, as flags are. */
  private atom(): Expression | undefined {
    const character = this.next();
    switch (character) {
      case "(":
        return this.group();
      case "[":
        return { kind: "characters", set: this.bracket() };
      case ".":
        return this.set(
          this.flags.dotAll
            ? [[0, LAST_CODE_POINT]]
            : [
                [0, 9],
                [11, LAST_CODE_POINT],
              ],
        );
      case "^":
        return { kind: "assertion", at: this.flags.lines ? "line-begin" : "text-begin" };
      case "$":
        return { kind: "assertion", at: this.flags.lines ? "line-end" : "text-end" };
      case "\\":
        return this.escape();
      case "*":
      case "+":
      case "?":
        throw new SyntaxProblem(`no argument for repetition operator: ${character}`);
      default:
        return this.literal(character.codePointAt(0)!);
    }
  }

  private repeated(atom: Expression, start: number): Expression {
    let expression = atom;
    let last: string | undefined;
    for (;;) {
      const begin = this.place;
      const bounds = this.bounds();
      if (bounds === undefined) return expression;
      this.take("?");
      const operator = this.characters.slice(begin, this.place).join("");
      if (last !== undefined) throw new SyntaxProblem(`bad repetition operator: ${last}${operator}`);
      last = operator;
      const [min, max] = bounds;
      expression = { kind: "repeat", of: expression, min, max };
      if (repeatProduct(expression) > MAX_REPEAT) {
        const text = this.characters.slice(start, this.place).join("");
        throw new SyntaxProblem(`invalid repetition size: ${text.startsWith("(") ? text : operator}`);
      }
    }
  }

  private bounds(): readonly [min: number, max: number | undefined] | undefined {
    if (this.take("*")) return [0, undefined];
    if (this.take("+")) return [1, undefined];
    if (this.take("?")) return [0, 1];
    const [text, low, comma, high] = /^\{([0-9]+)(,?)([0-9]*)\}/.exec(this.rest(24)) ?? [];
    // Braces that are no count stand for themselves.
    if (text === undefined || (comma === "" && high !== "")) return undefined;
    this.place += text.length;
    const min = Number(low);
    const max = comma === "" ? min : high === "" ? undefined : Number(high);
    if (min > MAX_REPEAT || (max ?? 0) > MAX_REPEAT || (max !== undefined && max < min)) {
      throw new SyntaxProblem(`invalid repetition size: ${text}`);
    }
    return [min, max];
  }

  private group(): Expression | undefined {
    if (++this.depth > MAX_DEPTH) throw new SyntaxProblem("nesting too deep");
    const outer = this.flags;
    let captures = true;
    if (this.peek() === "?") {
      const name = /^\?P<([^>]*)>/.exec(this.rest(200));
      if (name !== null) {
        if (!/^[0-9A-Za-z_]+$/.test(name[1]!))
          throw new SyntaxProblem(`invalid named capture group: (${name[0]}`);
        this.place += [...name[0]].length;
      } else {
        captures = false;
        if (this.setFlags()) {
          this.depth--;
          return undefined;
        }
      }
    }
    const of = this.choice();
    if (!this.take(")")) throw new SyntaxProblem(`missing ): ${this.pattern}`);
    this.flags = outer;
    this.depth--;
    return captures ? { kind: "capture", of } : of;
  }

  /** After `(`: `?i)`, which is true, or `?i:`, which begins a group. */
  private setFlags(): boolean {
    const text = this.rest(16);
    const [all, on = "", minus, off = "", end] = /^\?([imsU]*)(-([imsU]+))?([:)])/.exec(text) ?? [];
    if (all === undefined || (on === "" && minus === undefined && end === ")")) {
      if (!/[:)]/.test(text) && text.length < 16) throw new SyntaxProblem(`missing ): ${this.pattern}`);
      throw new SyntaxProblem(`invalid perl operator: (${/^\?(?:<?[=!]|P?.?)/.exec(text)?.[0] ?? "?"}`);
    }
    this.place += all.length;
    const after = (letter: string, before: boolean): boolean =>
      !off.includes(letter) && (on.includes(letter) || before);
    const { fold, lines, dotAll } = this.flags;
    this.flags = { fold: after("i", fold), lines: after("m", lines), dotAll: after("s", dotAll) };
    return end === ")";
  }

  private escape(): Expression {
    const letter = this.next("trailing \\ at end of regexp");
    switch (letter) {
      case "A":
        return { kind: "assertion", at: "text-begin" };
      case "z":
        return { kind: "assertion", at: "text-end" };
      case "b":
        return { kind: "assertion", at: "word-boundary" };
      case "B":
        return { kind: "assertion", at: "no-word-boundary" };
      case "C":
        return this.set([[0, LAST_CODE_POINT]]);
      case "p":
      case "P":
        return { kind: "characters", set: this.unicode(letter === "P") };
      default:
    }
    const ranges = perlClass(letter);
    return ranges === undefined ? this.literal(this.escaped(letter)) : this.set(ranges);
  }

  /** `\Q...\E`: characters that stand for themselves. */
  private quoted(): Expression[] {
    const parts: Expression[] = [];
    this.place += 2;
    while (this.place < this.characters.length && this.rest(2) !== "\\E") {
      parts.push(this.literal(this.next().codePointAt(0)!));
    }
    this.place = Math.min(this.place + 2, this.characters.length);
    return parts;
  }

  /** The code point of an escape that stands for one character. */
  private escaped(letter: string): number {
    const known = ESCAPED[letter];
    if (known !== undefined) return known;
    if (letter === "x") {
      const [text, short, long] = /^(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,8})\})/.exec(this.rest(10)) ?? [];
      const code = Number.parseInt(short ?? long ?? "", 16);
      if (text !== undefined && code <= LAST_CODE_POINT) {
        this.place += text.length;
        return code;
      }
      throw new SyntaxProblem(`invalid escape sequence: \\x${this.rest(2)}`);
    }
    const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(letter + this.rest(2))?.[0];
    if (octal !== undefined) {
      this.place += octal.length - 1;
      return Number.parseInt(octal, 8);
    }
    if (/^[0-9A-Za-z]$/.test(letter)) throw new SyntaxProblem(`invalid escape sequence: \\${letter}`);
    return letter.codePointAt(0)!;
  }

  private unicode(negated: boolean): CharacterSet {
    const [text, short, minus, long] = /^(?:([A-Z])|\{(\^?)([A-Za-z_]+)\})/.exec(this.rest(40)) ?? [];
    const name = short ?? long ?? "";
    const test = unicodeClass(name);
    if (text === undefined || test === undefined) {
      throw new SyntaxProblem(
        `invalid character class range: \\${negated ? "P" : "p"}${text ?? this.rest(1)}`,
      );
    }
    this.place += text.length;
    return { ranges: [], classes: [test], negated: negated !== (minus === "^"), folded: false };
  }

  private bracket(): CharacterSet {
    const begin = this.place - 1;
    const negated = this.take("^");
    const ranges: Range[] = [];
    const classes: ((character: string) => boolean)[] = [];
    for (let first = true; first || this.peek() !== "]"; first = false) {
      if (this.place >= this.characters.length) {
        throw new SyntaxProblem(`missing ]: ${this.characters.slice(begin).join("")}`);
      }
      const [posix, name] = /^\[:(\^?[a-z]+):\]/.exec(this.rest(16)) ?? [];
      if (posix !== undefined) {
        const known = posixClass(name!);
        if (known === undefined) throw new SyntaxProblem(`invalid character class range: ${posix}`);
        ranges.push(...known);
        this.place += posix.length;
        continue;
      }
      this.item(ranges, classes);
    }
    this.place++;
    return { ranges, classes, negated, folded: this.flags.fold };
  }

  private item(ranges: Range[], classes: ((character: string) => boolean)[]): void {
    const start = this.place;
    if (this.peek() === "\\") {
      const letter = this.characters[this.place + 1] ?? "";
      const known = perlClass(letter);
      if (known !== undefined) {
        ranges.push(...known);
        this.place += 2;
        return;
      }
      if (letter === "p" || letter === "P") {
        this.place += 2;
        const { classes: own, negated } = this.unicode(letter === "P");
        classes.push((character) => own.some((test) => test(character)) !== negated);
        return;
      }
    }
    const first = this.bound();
    if (
      this.peek() !== "-" ||
      this.characters[this.place + 1] === "]" ||
      this.place + 1 >= this.characters.length
    ) {
      ranges.push([first, first]);
      return;
    }
    this.place++;
    const last = this.bound();
    if (last < first) {
      const text = this.characters.slice(start, this.place).join("");
      throw new SyntaxProblem(`invalid character class range: ${text}`);
    }
    ranges.push([first, last]);
  }

  private bound(): number {
    const character = this.next();
    return character === "\\"
      ? this.escaped(this.next("trailing \\ at end of regexp"))
      : character.codePointAt(0)!;
  }

  private literal(code: number): Expression {
    return this.set([[code, code]]);
  }

  private set(ranges: readonly Range[]): Expression {
    return { kind: "characters", set: { ranges, classes: [], negated: false, folded: this.flags.fold } };
  }

  private peek(): string | undefined {
    return this.characters[this.place];
  }

  private next(otherwise = `missing ]: ${this.pattern}`): string {
    const character = this.characters[this.place];
    if (character === undefined) throw new SyntaxProblem(otherwise);
    this.place++;
    return character;
  }

  private take(character: string): boolean {
    if (this.characters[this.place] !== character) return false;
    this.place++;
    return true;
  }

  private rest(length: number): string {
    return this.characters.slice(this.place, this.place + length).join("");
  }
}

/** How many times the innermost expression of nested counts is repeated at most. */
function repeatProduct(expression: Expression): number {
  switch (expression.kind) {
    case "repeat": {
      const times = Math.max(1, expression.max ?? expression.min);
      return times * repeatProduct(expression.of);
    }
    case "capture":
      return repeatProduct(expression.of);
    case "sequence":
      return Math.max(1, ...expression.parts.map(repeatProduct));
    case "choice":
      return Math.max(1, ...expression.options.map(repeatProduct));
    default:
      return 1;
  }
}
