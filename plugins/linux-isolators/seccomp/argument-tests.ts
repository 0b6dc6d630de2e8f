import {
  AND,
  argumentHigh,
  argumentLow,
  give,
  IF_AT_LEAST,
  IF_EQUAL,
  IF_GREATER,
  type Instruction,
  LOAD,
} from "./bpf.js";
import type { ArgumentTest } from "./profile.js";

/** Tests of one kind of call, and what follows where all of them hold. */
export interface Branch {
  readonly tests: readonly ArgumentTest[];
  readonly action: number;
}

/** The first branch whose tests all hold decides. */
export function testing(branches: readonly Branch[], otherwise: number): Instruction[] {
  const code: Instruction[] = [];
  for (const { tests, action } of branches) {
    if (tests.length === 0) continue;
    const parts = tests.map(testOf);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    // What follows the tests is the return of this branch; a test that fails goes behind it.
    let left = length;
    for (const part of parts) {
      left -= part.length;
      code.push(...part.map((instruction) => resolve(instruction, left + 1)));
    }
    code.push(give(action));
  }
  code.push(give(otherwise));
  return code;
}

/** A jump target inside of a test: a number of instructions, or to the next branch. */
const FAIL = -1;

interface TestInstruction {
  readonly code: number;
  readonly k: number;
  readonly yes?: number;
  readonly no?: number;
  /** How many instructions of this test follow. */
  readonly behind: number;
}

function resolve({ code, k, yes, no, behind }: TestInstruction, left: number): Instruction {
  const place = (target: number | undefined): number | undefined =>
    target === FAIL ? behind + left : target;
  return { code, k, ...(yes !== undefined && { yes: place(yes)!, no: place(no)! }) };
}

/** Both halves of a 64-bit argument against a value; falls through where the test holds. */
function testOf({ index, op, value, valueTwo }: ArgumentTest): TestInstruction[] {
  const masked = op === "SCMP_CMP_MASKED_EQ";
  const wanted = BigInt(masked ? (valueTwo ?? 0) : value);
  const mask = masked ? BigInt(value) : 0xffffffffffffffffn;
  const [high, low] = halves(wanted);
  const [maskHigh, maskLow] = halves(mask);
  const at = (offset: number, and: number): Omit<TestInstruction, "behind">[] => [
    { code: LOAD, k: offset },
    ...(masked ? [{ code: AND, k: and }] : []),
  ];
  const highPart = at(argumentHigh(index), maskHigh);
  const lowPart = at(argumentLow(index), maskLow);
  const equal = { code: IF_EQUAL, yes: 0, no: FAIL };
  // To the end of the test, over the low half: those instructions plus its comparison.
  const done = lowPart.length + 1;
  const steps: Omit<TestInstruction, "behind">[] = (() => {
    switch (op) {
      case "SCMP_CMP_EQ":
      case "SCMP_CMP_MASKED_EQ":
        return [...highPart, { ...equal, k: high }, ...lowPart, { ...equal, k: low }];
      case "SCMP_CMP_NE":
        return [
          ...highPart,
          { code: IF_EQUAL, k: high, yes: 0, no: done },
          ...lowPart,
          { code: IF_EQUAL, k: low, yes: FAIL, no: 0 },
        ];
      case "SCMP_CMP_GT":
      case "SCMP_CMP_GE":
        return [
          ...highPart,
          { code: IF_GREATER, k: high, yes: done + 1, no: 0 },
          { ...equal, k: high },
          ...lowPart,
          { code: op === "SCMP_CMP_GT" ? IF_GREATER : IF_AT_LEAST, k: low, yes: 0, no: FAIL },
        ];
      case "SCMP_CMP_LT":
      case "SCMP_CMP_LE":
        return [
          ...highPart,
          { code: IF_GREATER, k: high, yes: FAIL, no: 0 },
          { code: IF_EQUAL, k: high, yes: 0, no: done },
          ...lowPart,
          { code: op === "SCMP_CMP_LE" ? IF_GREATER : IF_AT_LEAST, k: low, yes: FAIL, no: 0 },
        ];
    }
  })();
  return steps.map((step, position) => ({ ...step, behind: steps.length - 1 - position }));
}

const halves = (value: bigint): [number, number] => [
  Number((value >> 32n) & 0xffffffffn),
  Number(value & 0xffffffffn),
];
