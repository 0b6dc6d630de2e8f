/** What a regular expression means, as a tree. */
export type Expression =
  | { readonly kind: "empty" }
  | { readonly kind: "characters"; readonly set: CharacterSet }
  | { readonly kind: "assertion"; readonly at: Assertion }
  | { readonly kind: "sequence"; readonly parts: readonly Expression[] }
  | { readonly kind: "choice"; readonly options: readonly Expression[] }
  /** `max` undefined: without end. */
  | {
      readonly kind: "repeat";
      readonly of: Expression;
      readonly min: number;
      readonly max: number | undefined;
    }
  | { readonly kind: "capture"; readonly of: Expression };

export type Assertion =
  | "text-begin"
  | "text-end"
  | "line-begin"
  | "line-end"
  | "word-boundary"
  | "no-word-boundary";

export type Range = readonly [first: number, last: number];

export interface CharacterSet {
  /** Code points. */
  readonly ranges: readonly Range[];
  /** Classes of Unicode, which are too large to be listed. */
  readonly classes: readonly ((character: string) => boolean)[];
  readonly negated: boolean;
  /** Upper and lower case are one. */
  readonly folded: boolean;
}

export const LAST_CODE_POINT = 0x10ffff;

/** An expression that RE2 does not take, in RE2's words. */
export class SyntaxProblem extends Error {}

const PERL_CLASSES: Readonly<Record<string, readonly Range[]>> = {
  d: [[0x30, 0x39]],
  s: [
    [0x09, 0x0a],
    [0x0c, 0x0d],
    [0x20, 0x20],
  ],
  w: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
  ],
};

const POSIX_CLASSES: Readonly<Record<string, readonly Range[]>> = {
  alnum: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x61, 0x7a],
  ],
  alpha: [
    [0x41, 0x5a],
    [0x61, 0x7a],
  ],
  ascii: [[0, 0x7f]],
  blank: [
    [0x09, 0x09],
    [0x20, 0x20],
  ],
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: [[0x30, 0x39]],
  graph: [[0x21, 0x7e]],
  lower: [[0x61, 0x7a]],
  print: [[0x20, 0x7e]],
  punct: [
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ],
  space: [
    [0x09, 0x0d],
    [0x20, 0x20],
  ],
  upper: [[0x41, 0x5a]],
  word: PERL_CLASSES.w!,
  xdigit: [
    [0x30, 0x39],
    [0x41, 0x46],
    [0x61, 0x66],
  ],
};

/** `\d`, `\D` and the like, by letter; undefined for other letters. */
export function perlClass(letter: string): readonly Range[] | undefined {
  return classOf(PERL_CLASSES, letter.toLowerCase(), letter !== letter.toLowerCase());
}

/** `[:alpha:]`, `[:^alpha:]`, by what is between the colons. */
export function posixClass(name: string): readonly Range[] | undefined {
  return classOf(POSIX_CLASSES, name.replace(/^\^/, ""), name.startsWith("^"));
}

function classOf(
  classes: Readonly<Record<string, readonly Range[]>>,
  name: string,
  negated: boolean,
): readonly Range[] | undefined {
  const ranges = Object.hasOwn(classes, name) ? classes[name] : undefined;
  return negated && ranges !== undefined ? complement(ranges) : ranges;
}

/** A class of Unicode by the name of its category or script; undefined for an unknown one. */
export function unicodeClass(name: string): ((character: string) => boolean) | undefined {
  if (name === "Any") return () => true;
  const property = /^[A-Z][a-z]?$/.test(name) ? `General_Category=${name}` : `Script=${name}`;
  if (!/^[A-Za-z_=]+$/.test(property)) return undefined;
  try {
    const pattern = new RegExp(`^\\p{${property}}$`, "u");
    return (character) => pattern.test(character);
  } catch {
    // The engine knows no such property, and so does RE2 not.
    return undefined;
  }
}

/** Everything else. @param ranges sorted, apart */
function complement(ranges: readonly Range[]): Range[] {
  const rest: Range[] = [];
  let next = 0;
  for (const [first, last] of ranges) {
    if (first > next) rest.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= LAST_CODE_POINT) rest.push([next, LAST_CODE_POINT]);
  return rest;
}
