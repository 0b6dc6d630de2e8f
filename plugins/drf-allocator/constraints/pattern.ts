import { parse } from "./parser.js";
import { Program } from "./program.js";
import { SyntaxProblem } from "./syntax.js";

/** How large regular expressions of frameworks may be. */
export interface PatternLimits {
  /** Bytes that RE2 would have for one. */
  readonly maxMem: number;
  /** Instructions of its program. */
  readonly maxProgramSize: number;
}

/** Attributes repeat over agents, so few texts are ever tested; more than this start over. */
const REMEMBERED_TEXTS = 10_000;

/** RE2 spends two thirds on the program: a header and instructions of eight bytes. Measured with RE2. */
const HEADER_BYTES = 432;
const INSTRUCTION_BYTES = 8;
const UNBOUNDED_SIZE = 100_000;

/** A regular expression from a framework, matched against whole texts, in time that cannot run away. */
export class TextPattern {
  private readonly outcomes = new Map<string, boolean>();

  private constructor(private readonly program: Program) {}

  /** The pattern, or what is wrong with it, in Mesos's and RE2's words. */
  static of(source: string, limits: PatternLimits): TextPattern | { readonly problem: string } {
    try {
      const program = new Program(parse(source), maxInstructions(limits.maxMem));
      if (program.size <= limits.maxProgramSize) return new TextPattern(program);
      const size = `program size of ${program.size} is larger than maximum of ${limits.maxProgramSize} allowed`;
      return { problem: `Regex '${source}' is too complex: ${size}` };
    } catch (error) {
      if (!(error instanceof SyntaxProblem)) throw error;
      return { problem: `Failed to construct regex from pattern '${source}': ${error.message}` };
    }
  }

  matches(text: string): boolean {
    const known = this.outcomes.get(text);
    if (known !== undefined) return known;
    const outcome = this.program.matches(text);
    if (this.outcomes.size >= REMEMBERED_TEXTS) this.outcomes.clear();
    this.outcomes.set(text, outcome);
    return outcome;
  }
}

function maxInstructions(maxMem: number): number {
  if (maxMem <= 0) return UNBOUNDED_SIZE;
  return Math.floor((Math.floor((maxMem * 2) / 3) - HEADER_BYTES) / INSTRUCTION_BYTES);
}
