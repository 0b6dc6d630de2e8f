/** Classic BPF, as far as filters of system calls need it: linux/bpf_common.h. */

export const LOAD = 0x20;
export const AND = 0x54;
export const JUMP = 0x05;
export const IF_EQUAL = 0x15;
export const IF_GREATER = 0x25;
export const IF_AT_LEAST = 0x35;
const RETURN = 0x06;

/** linux/seccomp.h, struct seccomp_data */
export const NUMBER = 0;
export const ARCHITECTURE = 4;
export const argumentLow = (index: number): number => 16 + 8 * index;
export const argumentHigh = (index: number): number => 20 + 8 * index;

/** The kernel takes no longer programs (BPF_MAXINSNS). */
const LONGEST = 4096;

/** An instruction; `yes` and `no` count the instructions that are skipped then. */
export interface Instruction {
  readonly code: number;
  readonly k: number;
  readonly yes?: number;
  readonly no?: number;
}

export const give = (action: number): Instruction => ({ code: RETURN, k: action });
export const load = (offset: number): Instruction => ({ code: LOAD, k: offset });

/**
 * struct sock_filter: u16 code, u8 jt, u8 jf, u32 k; in the byte order of the host, which is little on all that have a table of calls.
 * Throws RangeError for a program that the kernel would not take.
 */
export function assemble(program: readonly Instruction[]): Buffer {
  if (program.length > LONGEST)
    throw new RangeError(`a filter of ${program.length} instructions is too long`);
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(({ code, k, yes = 0, no = 0 }, index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(yes, index * 8 + 2);
    bytes.writeUInt8(no, index * 8 + 3);
    bytes.writeUInt32LE(k >>> 0, index * 8 + 4);
  });
  return bytes;
}
