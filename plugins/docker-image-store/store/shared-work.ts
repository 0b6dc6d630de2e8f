interface Job<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  waiting: number;
}

/** Work that several may wait for at once: it is done once, and given up when nobody waits any more. */
export class SharedWork<T> {
  private readonly jobs = new Map<string, Job<T>>();

  /** Joins the work of this key, or starts it. Rejects with the signal's reason as soon as it is aborted. */
  async join(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const job = this.jobs.get(key) ?? this.start(key, work);
    job.waiting++;
    const { promise: left, reject } = deferred<never>();
    const leave = (): void => reject(signal.reason);
    signal.addEventListener("abort", leave);
    try {
      return await Promise.race([job.result, left]);
    } finally {
      signal.removeEventListener("abort", leave);
      job.waiting--;
      if (job.waiting === 0) {
        // Whoever comes now begins anew: what is being given up is of no use.
        if (this.jobs.get(key) === job) this.jobs.delete(key);
        job.abort.abort(signal.reason);
      }
    }
  }

  private start(key: string, work: (signal: AbortSignal) => Promise<T>): Job<T> {
    const abort = new AbortController();
    const result = work(abort.signal).finally(() => {
      if (this.jobs.get(key) === job) this.jobs.delete(key);
    });
    const job: Job<T> = { result, abort, waiting: 0 };
    // Its waiters may all have left.
    result.catch(() => undefined);
    this.jobs.set(key, job);
    return job;
  }
}

function deferred<T>(): { promise: Promise<T>; reject: (reason: unknown) => void } {
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((_resolve, fail) => {
    reject = fail;
  });
  promise.catch(() => undefined);
  return { promise, reject };
}
