import {
  type Assertion,
  type CharacterSet,
  type Expression,
  LAST_CODE_POINT,
  SyntaxProblem,
} from "./syntax.js";

/** One step of a program: `next` is where it goes on, `other` the second way of a fork. */
type Instruction =
  | { readonly kind: "characters"; readonly set: CharacterSet; next: number }
  | { readonly kind: "fork"; next: number; other: number }
  | { readonly kind: "assertion"; readonly at: Assertion; next: number }
  | { readonly kind: "match" };

/** What RE2's programs have besides: a failure, a match, and a loop for matches that begin anywhere. */
const FIXED_SIZE = 4;
/** Classes of Unicode are long lists in RE2: `\p{Lu}` takes 794 instructions. */
const UNICODE_CLASS_SIZE = 800;

/**
 * A regular expression as a non-deterministic automaton, whose states are followed all at once (Thompson's construction): a match
 * takes time in proportion to the length of the text times the size of the program, whatever the expression.
 */
export class Program {
  /** Instructions as RE2 would count them, over bytes of UTF-8, before its own optimisations. */
  readonly size: number;
  private readonly code: Instruction[] = [];
  private readonly start: number;
  private counted = FIXED_SIZE;

  /** Throws a `SyntaxProblem` for one of more than `maxSize` instructions. */
  constructor(
    expression: Expression,
    private readonly maxSize: number,
  ) {
    this.code.push({ kind: "match" });
    this.start = this.compile(expression, 0);
    this.size = this.counted;
  }

  /** Whether it matches the whole of a text. */
  matches(text: string): boolean {
    const characters = [...text];
    let current = new StateSet(this.code.length);
    let following = new StateSet(this.code.length);
    this.follow(this.start, current, { characters, place: 0 });
    for (let place = 0; place < characters.length; place++) {
      if (current.size === 0) return false;
      const character = characters[place]!;
      following.clear();
      for (let i = 0; i < current.size; i++) {
        const instruction = this.code[current.at(i)]!;
        if (instruction.kind === "characters" && includes(instruction.set, character)) {
          this.follow(instruction.next, following, { characters, place: place + 1 });
        }
      }
      [current, following] = [following, current];
    }
    return current.has(0);
  }

  /** Adds a state and all that can be reached from it without a character. */
  private follow(from: number, states: StateSet, where: Place): void {
    const pending = [from];
    for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
      if (!states.add(state)) continue;
      const instruction = this.code[state]!;
      if (instruction.kind === "fork") pending.push(instruction.other, instruction.next);
      else if (instruction.kind === "assertion" && holds(instruction.at, where))
        pending.push(instruction.next);
    }
  }

  /** Compiles backwards: returns where the expression begins, when it goes on at `next`. */
  private compile(expression: Expression, next: number): number {
    switch (expression.kind) {
      case "empty":
        return next;
      case "characters":
        return this.emit({ kind: "characters", set: expression.set, next }, sizeOf(expression.set));
      case "assertion":
        return this.emit({ kind: "assertion", at: expression.at, next }, 1);
      case "capture":
        this.count(2);
        return this.compile(expression.of, next);
      case "sequence":
        return expression.parts.reduceRight((after, part) => this.compile(part, after), next);
      case "choice":
        return expression.options
          .map((option) => this.compile(option, next))
          .reduceRight((other, option) => this.emit({ kind: "fork", next: option, other }, 1));
      case "repeat":
        return this.repeat(expression, next);
    }
  }

  private repeat({ of, min, max }: Extract<Expression, { kind: "repeat" }>, next: number): number {
    let after = next;
    if (max === undefined) {
      const fork: Instruction = { kind: "fork", next: 0, other: next };
      const loop = this.emit(fork, 1);
      fork.next = this.compile(of, loop);
      // One or more begins with the expression itself, not with the choice to leave.
      if (min > 0) after = fork.next;
      else after = loop;
      for (let i = 1; i < min; i++) after = this.compile(of, after);
      return after;
    }
    for (let i = min; i < max; i++) {
      after = this.emit({ kind: "fork", next: this.compile(of, after), other: next }, 1);
    }
    for (let i = 0; i < min; i++) after = this.compile(of, after);
    return after;
  }

  private emit(instruction: Instruction, size: number): number {
    this.count(size);
    return this.code.push(instruction) - 1;
  }

  private count(size: number): void {
    this.counted += size;
    if (this.counted > this.maxSize) throw new SyntaxProblem("pattern too large - compile failed");
  }
}

interface Place {
  readonly characters: readonly string[];
  readonly place: number;
}

/** A set of small numbers with a list of its members; clearing costs nothing. */
class StateSet {
  private readonly members: Int32Array;
  private readonly places: Int32Array;
  size = 0;

  constructor(capacity: number) {
    this.members = new Int32Array(capacity);
    this.places = new Int32Array(capacity);
  }

  at(place: number): number {
    return this.members[place]!;
  }

  has(state: number): boolean {
    const place = this.places[state]!;
    return place < this.size && this.members[place] === state;
  }

  add(state: number): boolean {
    if (this.has(state)) return false;
    this.members[this.size] = state;
    this.places[state] = this.size++;
    return true;
  }

  clear(): void {
    this.size = 0;
  }
}

function includes(set: CharacterSet, character: string): boolean {
  if (!set.folded) return isListed(set, character) !== set.negated;
  const listed =
    isListed(set, character) ||
    isListed(set, character.toLowerCase()) ||
    isListed(set, character.toUpperCase());
  return listed !== set.negated;
}

function isListed({ ranges, classes }: CharacterSet, character: string): boolean {
  const code = character.codePointAt(0)!;
  // Some characters have more than one in the other case; those are not folded.
  if (character.length > (code > 0xffff ? 2 : 1)) return false;
  for (const [first, last] of ranges) if (code >= first && code <= last) return true;
  return classes.some((test) => test(character));
}

const isWord = (character: string | undefined): boolean =>
  character !== undefined && /^[0-9A-Za-z_]$/.test(character);

function holds(assertion: Assertion, { characters, place }: Place): boolean {
  switch (assertion) {
    case "text-begin":
      return place === 0;
    case "text-end":
      return place === characters.length;
    case "line-begin":
      return place === 0 || characters[place - 1] === "\n";
    case "line-end":
      return place === characters.length || characters[place] === "\n";
    default: {
      const boundary = isWord(characters[place - 1]) !== isWord(characters[place]);
      return boundary === (assertion === "word-boundary");
    }
  }
}

/** Byte ranges, and forks between them, that RE2 needs for a set. */
function sizeOf({ ranges, classes, negated, folded }: CharacterSet): number {
  if (classes.length > 0) return UNICODE_CLASS_SIZE;
  let size = 0;
  let pieces = 0;
  for (const [first, last] of ranges) {
    pieces++;
    if (last >= 0x80 && first < 0x80) pieces++;
    if (first < 0x80) size++;
    // All of what is beyond ASCII shares its ends: three beginnings and three that go on.
    if (last >= 0x80)
      size += last === LAST_CODE_POINT ? 6 : new TextEncoder().encode(String.fromCodePoint(last)).length;
  }
  if (negated) {
    pieces += 4;
    size += 7;
  }
  if (folded && ranges.length > 1) size += ranges.length;
  return size + Math.max(0, pieces - 1);
}
