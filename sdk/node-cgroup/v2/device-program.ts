import type { DeviceRule } from "../controls.js";
import { mergeDeviceRules } from "../device-rules.js";

/** Numbers of the kernel's `linux/bpf.h`. */
const LOAD_WORD = 0x61;
const MOVE = 0xb7;
const MOVE_REGISTER_32 = 0xbc;
const AND_32 = 0x54;
const SHIFT_RIGHT_32 = 0x74;
const JUMP_IF_NOT = 0x55;
const EXIT = 0x95;

const TYPES = { b: 1, c: 2 } as const;
const ACCESS = { m: 1, r: 2, w: 4 } as const;
const ALL_ACCESS = 7;

/** Registers. The kernel passes the context in 1 and takes the answer from 0. */
const ANSWER = 0;
const CONTEXT = 1;
const SCRATCH = 1;
const TYPE = 2;
const ASKED = 3;
const MAJOR = 4;
const MINOR = 5;

interface Instruction {
  readonly code: number;
  readonly to: number;
  readonly from?: number;
  readonly offset?: number;
  readonly value?: number;
}

/** Left to be filled in: to the start of the next rule. */
type Test = (skip: number) => Instruction;

const INSTRUCTION_BYTES = 8;

/**
 * An eBPF program of type BPF_PROG_TYPE_CGROUP_DEVICE that answers 1 (allowed) when one rule covers all that is asked, 0 otherwise. Its
 * context is `struct bpf_cgroup_dev_ctx`: access << 16 | type, major, minor.
 */
export function deviceProgram(rules: readonly DeviceRule[]): Uint8Array {
  return encode([
    { code: LOAD_WORD, to: TYPE, from: CONTEXT, offset: 0 },
    { code: LOAD_WORD, to: MAJOR, from: CONTEXT, offset: 4 },
    { code: LOAD_WORD, to: MINOR, from: CONTEXT, offset: 8 },
    { code: MOVE_REGISTER_32, to: ASKED, from: TYPE },
    { code: SHIFT_RIGHT_32, to: ASKED, value: 16 },
    { code: AND_32, to: TYPE, value: 0xffff },
    ...[...mergeDeviceRules(rules)].flatMap(([device, access]) => ruleCode(device, access)),
    ...answer(0),
  ]);
}

const answer = (value: number): Instruction[] => [
  { code: MOVE, to: ANSWER, value },
  { code: EXIT, to: 0 },
];

/** `c 1:3` with access `rw`. */
function ruleCode(device: string, access: string): Instruction[] {
  const [, type, major, minor] = /^([bc]) (.+):(.+)$/.exec(device)!;
  const mask = [...access].reduce((bits, letter) => bits | ACCESS[letter as keyof typeof ACCESS], 0);
  const unlessEqual =
    (register: number, value: number): Test =>
    (offset) => ({ code: JUMP_IF_NOT, to: register, offset, value });
  const tests: (Instruction | Test)[] = [unlessEqual(TYPE, TYPES[type as keyof typeof TYPES])];
  if (major !== "*") tests.push(unlessEqual(MAJOR, Number(major)));
  if (minor !== "*") tests.push(unlessEqual(MINOR, Number(minor)));
  if (mask !== ALL_ACCESS)
    tests.push(
      { code: MOVE_REGISTER_32, to: SCRATCH, from: ASKED },
      { code: AND_32, to: SCRATCH, value: ALL_ACCESS & ~mask },
      unlessEqual(SCRATCH, 0),
    );
  const code = [...tests, ...answer(1)];
  // A jump counts from the instruction after it.
  return code.map((step, index) => (typeof step === "function" ? step(code.length - index - 1) : step));
}

function encode(instructions: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(instructions.length * INSTRUCTION_BYTES);
  for (const [index, { code, to, from = 0, offset = 0, value = 0 }] of instructions.entries()) {
    const start = index * INSTRUCTION_BYTES;
    bytes.writeUInt8(code, start);
    bytes.writeUInt8((from << 4) | to, start + 1);
    bytes.writeInt16LE(offset, start + 2);
    bytes.writeInt32LE(value | 0, start + 4);
  }
  return bytes;
}
