import { expect } from "chai";
import fc from "fast-check";
import { TextPattern } from "../../../plugins/drf-allocator/constraints/pattern.js";

const LIMITS = { maxMem: 4096, maxProgramSize: 100 };
const LARGE = { maxMem: 1_000_000, maxProgramSize: 100_000 };

function matches(pattern: string, text: string): boolean {
  const compiled = TextPattern.of(pattern, LARGE);
  if ("problem" in compiled) throw new Error(compiled.problem);
  return compiled.matches(text);
}

function problem(pattern: string, limits = LIMITS): string | undefined {
  const compiled = TextPattern.of(pattern, limits);
  return "problem" in compiled ? compiled.problem : undefined;
}

describe("patterns of offer constraints", () => {
  const cases: [pattern: string, text: string, matches: boolean][] = [
    ["", "", true],
    ["", "a", false],
    ["a|bc|", "bc", true],
    ["(?:ab)+?", "ababab", true],
    ["a{2,3}", "aa", true],
    ["a{2,3}", "aaaa", false],
    ["a{2,}", "aaaaa", true],
    ["a{,2}", "a{,2}", true],
    ["(?i)straße", "STRAßE", true],
    ["a(?i)b(?-i)c", "aBc", true],
    ["a(?i)b(?-i)c", "aBC", false],
    ["(?i:a)b", "Ab", true],
    [".", "\n", false],
    ["(?s).", "\n", true],
    [".", "💡", true],
    ["[^a-c]", "d", true],
    ["[^a-c]", "b", false],
    ["[]a]", "]", true],
    ["[a-]", "-", true],
    ["[[:alpha:]_]+", "ab_c", true],
    ["[[:^digit:]]", "5", false],
    ["\\d+\\.\\d+", "12.5", true],
    ["\\D\\S\\W", "ab-", true],
    ["[\\w.]+", "a_1.b", true],
    ["\\x41\\x{1F4A1}\\101", "A💡A", true],
    ["\\Qa.b\\E+", "a.bbb", true],
    ["\\bfoo\\b", "foo", true],
    ["foo\\b.*", "foobar", false],
    ["^a$", "a", true],
    ["(?m)a$\\n^b", "a\nb", true],
    ["a$b", "ab", false],
    ["\\p{Greek}+", "αβγ", true],
    ["\\pL+", "aβ", true],
    ["\\P{Lu}", "A", false],
    ["(?P<name>a)b", "ab", true],
    ["(a*)*b", "aaab", true],
  ];
  for (const [pattern, text, expected] of cases) {
    it(`/${pattern}/ ${expected ? "matches" : "does not match"} ${JSON.stringify(text)}`, () => {
      expect(matches(pattern, text)).to.equal(expected);
    });
  }

  const refused: [pattern: string, why: string][] = [
    ["(a", "missing ): (a"],
    ["a)", "unexpected ): a)"],
    ["[a", "missing ]: [a"],
    ["a**", "bad repetition operator: **"],
    ["*a", "no argument for repetition operator: *"],
    ["a{1001}", "invalid repetition size: {1001}"],
    ["a{2,1}", "invalid repetition size: {2,1}"],
    ["[b-a]", "invalid character class range: b-a"],
    ["[[:nothing:]]", "invalid character class range: [:nothing:]"],
    ["\\", "trailing \\ at end of regexp"],
    ["(a)\\1", "invalid escape sequence: \\1"],
    ["\\y", "invalid escape sequence: \\y"],
    ["(?=a)", "invalid perl operator: (?="],
    ["(?<!a)", "invalid perl operator: (?<!"],
    ["(?P<1 2>a)", "invalid named capture group: (?P<1 2>"],
    ["\\p{Nothing}", "invalid character class range: \\p{Nothing}"],
  ];
  for (const [pattern, why] of refused) {
    it(`/${pattern}/ is refused: ${why}`, () => {
      expect(problem(pattern)).to.equal(`Failed to construct regex from pattern '${pattern}': ${why}`);
    });
  }

  it("are refused when they are too large", () => {
    expect(problem("a{100}")).to.equal(
      "Regex 'a{100}' is too complex: program size of 104 is larger than maximum of 100 allowed",
    );
    expect(problem("\\p{L}")).to.match(/pattern too large/);
    expect(problem("[a-z]{40}", { maxMem: 8192, maxProgramSize: 20 })).to.match(
      /^Regex '\[a-z\]\{40\}' is too complex: program size of \d+ is larger than maximum of 20 allowed$/,
    );
    expect(problem("rack-[0-9]+\\.(east|west)\\.example\\.com")).to.equal(undefined);
  });

  // What RE2 itself says, with max_mem set to this.
  const limits: readonly (readonly [maxMem: number, pattern: string, largest: number])[] = [
    [1500, "a", 67],
    [2048, "a", 112],
    [4096, "a", 283],
    [4096, "(a+)", 70],
    [8192, "(a+)", 156],
  ];
  for (const [maxMem, pattern, largest] of limits) {
    it(`/${pattern}/ may be repeated ${largest} times in ${maxMem} bytes`, () => {
      const roomy = { maxMem, maxProgramSize: 10_000 };
      expect(problem(`${pattern}{${largest}}`, roomy)).to.equal(undefined);
      expect(problem(`${pattern}{${largest + 1}}`, roomy)).to.match(/pattern too large - compile failed$/);
    });
  }

  it("take time in proportion to the text, where backtracking would not end", () => {
    expect(matches("(a|a)*b", "a".repeat(20_000))).to.equal(false);
    expect(matches("(a?){50}a{50}", "a".repeat(50))).to.equal(true);
  });

  const atom = fc.constantFrom("a", "b", "[ab]", "[^a]", ".", "(?:ab)", "(a|b)", "(?:)");
  const pattern = fc
    .array(fc.tuple(atom, fc.constantFrom("", "*", "+", "?", "{2}", "{1,2}", "*?")), { maxLength: 5 })
    .map((parts) => parts.map(([one, times]) => one + times).join(""));

  it("match what JavaScript's expressions match", () => {
    fc.assert(
      fc.property(
        fc.array(pattern, { minLength: 1, maxLength: 3 }),
        fc.stringMatching(/^[abc]{0,7}$/),
        (parts, text) => {
          const source = parts.join("|");
          expect(matches(source, text)).to.equal(new RegExp(`^(?:${source})$`).test(text));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("are answered, whatever they are", () => {
    const noise = fc.array(fc.constantFrom(..."abz019()[]{}*+?|\\.^$-,:PpQE<>=!i".split("")), {
      maxLength: 14,
    });
    fc.assert(
      fc.property(noise, (characters) => {
        const source = characters.join("");
        const compiled = TextPattern.of(source, LIMITS);
        if ("problem" in compiled) expect(compiled.problem).to.include(source);
        else expect(compiled.matches("ab01")).to.be.a("boolean");
      }),
      { numRuns: 3000 },
    );
  });
});
