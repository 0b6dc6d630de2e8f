import { createContext, Script } from "node:vm";

/** An honest pattern takes microseconds on an attribute; the rest is for a machine that is busy with something else. Milliseconds. */
const TIME_LIMIT_MS = 500;

/** Attributes repeat over agents, so few texts are ever tested; more than this start over. */
const REMEMBERED_TEXTS = 10_000;

const sandbox = createContext(Object.create(null));
const TEST = new Script("pattern.test(text)");

/**
 * A regular expression from a framework, matched against whole texts.
 *
 * Mesos uses RE2, which cannot be made to run for ever; JavaScript's can, so each test has a time limit, and each outcome is
 * remembered. A pattern that does not compile has no answer; one that runs too long is not tried again.
 */
export class TextPattern {
  private expression: RegExp | undefined;
  private readonly outcomes = new Map<string, boolean>();

  constructor(pattern: string) {
    this.expression = compile(pattern);
  }

  matches(text: string): boolean | undefined {
    if (this.expression === undefined) return undefined;
    const known = this.outcomes.get(text);
    if (known !== undefined) return known;
    const outcome = test(this.expression, text);
    if (outcome === undefined) {
      this.expression = undefined;
      return undefined;
    }
    if (this.outcomes.size >= REMEMBERED_TEXTS) this.outcomes.clear();
    this.outcomes.set(text, outcome);
    return outcome;
  }
}

/** RE2 writes flags in front of a pattern: `(?i)abc`. */
function compile(pattern: string): RegExp | undefined {
  const [, flags = "", rest = ""] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(pattern) ?? [];
  for (const unicode of ["u", ""]) {
    try {
      return new RegExp(`^(?:${rest})$`, [...new Set(flags)].join("") + unicode);
    } catch {
      // Some patterns are only good without the stricter Unicode rules; if not, there is no answer.
    }
  }
  return undefined;
}

function test(pattern: RegExp, text: string): boolean | undefined {
  Object.assign(sandbox, { pattern, text });
  try {
    return TEST.runInContext(sandbox, { timeout: TIME_LIMIT_MS }) === true;
  } catch {
    return undefined;
  }
}
