/** How many calls of `setImmediate` have not come yet, as far as they are counted. */
let waiting = 0;

/** Counts calls of `setImmediate` until the returned function is called; they do what they always do. */
export function countImmediates(): () => void {
  const real = globalThis.setImmediate;
  const counted = (call: (...values: unknown[]) => void, ...values: unknown[]): NodeJS.Immediate => {
    waiting++;
    return real(() => {
      waiting--;
      call(...values);
    });
  };
  globalThis.setImmediate = Object.assign(counted, {
    __promisify__: real.__promisify__,
  }) as typeof setImmediate;
  return () => {
    globalThis.setImmediate = real;
  };
}

/**
 * Resolves when nothing goes on any more by itself. A tick comes when all promises have settled, and costs little; a turn of the event loop,
 * which costs a system call, is taken only for those who wait for one.
 */
export async function settle(): Promise<void> {
  // Ticks come after promises only where they are asked for by what a promise has called.
  await undefined;
  await new Promise<void>((resolve) => process.nextTick(resolve));
  while (waiting > 0) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    await new Promise<void>((resolve) => process.nextTick(resolve));
  }
}
