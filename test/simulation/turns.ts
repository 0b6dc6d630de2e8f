/** Number of counted `setImmediate` calls that have not run yet. */
let waiting = 0;

/** Counts calls of `setImmediate` until the returned function is called; they work as usual. */
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
 * Resolves when nothing proceeds by itself any more. A tick runs once all promises have settled, and is cheap; a turn of the event loop,
 * which costs a system call, is only used if something waits for one.
 */
export async function settle(): Promise<void> {
  // Ticks only run after promises if they are requested by a promise callback.
  await undefined;
  await new Promise<void>((resolve) => process.nextTick(resolve));
  while (waiting > 0) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    await new Promise<void>((resolve) => process.nextTick(resolve));
  }
}
