import { expect } from "chai";
import fc from "fast-check";
import type { DeviceRule } from "../../../sdk/node-cgroup/index.js";
import { deviceProgram } from "../../../sdk/node-cgroup/v2/device-program.js";

/** What a process wants to do with a device. */
interface Wish {
  readonly type: "b" | "c";
  readonly major: number;
  readonly minor: number;
  readonly access: string;
}

const TYPE = { b: 1, c: 2 };
const ACCESS: Record<string, number> = { m: 1, r: 2, w: 4 };

/** Runs the program as the kernel would, as far as it uses the machine. */
function run(program: Uint8Array, wish: Wish): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const asked = [...wish.access].reduce((bits, letter) => bits | ACCESS[letter]!, 0);
  const context = [(asked << 16) | TYPE[wish.type], wish.major, wish.minor];
  const registers = Array.from({ length: 11 }, () => Number.NaN);
  for (let at = 0; at < program.length / 8; at += 1) {
    const [code, pair] = [view.getUint8(at * 8), view.getUint8(at * 8 + 1)];
    const [to, from] = [pair & 15, pair >> 4];
    const [offset, value] = [view.getInt16(at * 8 + 2, true), view.getInt32(at * 8 + 4, true)];
    if (code === 0x95) return registers[0]!;
    if (code === 0x61) registers[to] = context[offset / 4]!;
    else if (code === 0xb7) registers[to] = value;
    else if (code === 0xbc) registers[to] = registers[from]!;
    else if (code === 0x54) registers[to] = registers[to]! & value;
    else if (code === 0x74) registers[to] = registers[to]! >>> value;
    else if (code === 0x55) at += registers[to] === value ? 0 : offset;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error("the program has no end");
}

/** The meaning of the rules: those for one device add up, and one has to cover all that is asked. */
function allows(rules: readonly DeviceRule[], wish: Wish): boolean {
  const sameDevice = (a: DeviceRule, b: DeviceRule): boolean => a.major === b.major && a.minor === b.minor;
  const applies = (rule: DeviceRule): boolean => rule.type === "a" || rule.type === wish.type;
  return rules
    .filter(applies)
    .filter((rule) => (rule.major ?? wish.major) === wish.major && (rule.minor ?? wish.minor) === wish.minor)
    .some((rule) => {
      const sum = rules
        .filter((other) => applies(other) && sameDevice(rule, other))
        .map(({ access }) => access);
      return [...wish.access].every((letter) => sum.join("").includes(letter));
    });
}

const number = fc.integer({ min: 0, max: 3 });
const access = fc.subarray(["r", "w", "m"], { minLength: 1 }).map((letters) => letters.join(""));
const rule: fc.Arbitrary<DeviceRule> = fc.record({
  type: fc.constantFrom("a" as const, "b" as const, "c" as const),
  major: fc.option(number, { nil: undefined }),
  minor: fc.option(number, { nil: undefined }),
  access,
});
const wish: fc.Arbitrary<Wish> = fc.record({
  type: fc.constantFrom("b" as const, "c" as const),
  major: number,
  minor: number,
  access,
});

describe("deviceProgram", () => {
  it("allows what the rules allow, and nothing else", () => {
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 12 }),
        fc.array(wish, { minLength: 1, maxLength: 8 }),
        (rules, wishes) => {
          const program = deviceProgram(rules);
          for (const each of wishes) expect(run(program, each) === 1).to.equal(allows(rules, each));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("denies everything without rules", () => {
    expect(run(deviceProgram([]), { type: "c", major: 1, minor: 3, access: "r" })).to.equal(0);
  });
});
