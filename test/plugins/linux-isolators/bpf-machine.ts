/** What the kernel shows a seccomp filter of a call. */
export interface SystemCall {
  readonly number: number;
  readonly architecture: number;
  readonly args: readonly bigint[];
}

/** Runs a classic BPF program as the kernel would: the value that it returns. Throws for programs that the kernel refuses. */
export function runFilter(program: Buffer, call: SystemCall): number {
  const data = Buffer.alloc(64);
  data.writeInt32LE(call.number | 0, 0);
  data.writeUInt32LE(call.architecture, 4);
  call.args.forEach((value, index) => {
    data.writeBigUInt64LE(value, 16 + 8 * index);
  });
  let accumulator = 0;
  for (let at = 0; ; at++) {
    if (at * 8 >= program.length) throw new Error("the program runs past its end");
    const code = program.readUInt16LE(at * 8);
    const k = program.readUInt32LE(at * 8 + 4);
    const jump = (holds: boolean): void => {
      at += program.readUInt8(at * 8 + (holds ? 2 : 3));
    };
    if (code === 0x20) accumulator = data.readUInt32LE(k);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x05) at += k;
    else if (code === 0x15) jump(accumulator === k);
    else if (code === 0x25) jump(accumulator > k);
    else if (code === 0x35) jump(accumulator >= k);
    else if (code === 0x06) return k;
    else throw new Error(`no such instruction: ${code}`);
  }
}
