/** A promise that is settled from outside; settling it again does nothing. A rejection nobody waits for is not an error. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  settled = false;
  private accept!: (value: T) => void;
  private refuse!: (reason: unknown) => void;

  constructor() {
    this.promise = new Promise((accept, refuse) => {
      this.accept = accept;
      this.refuse = refuse;
    });
    this.promise.catch(() => undefined);
  }

  resolve(value: T): void {
    this.settled = true;
    this.accept(value);
  }

  reject(reason: unknown): void {
    this.settled = true;
    this.refuse(reason);
  }
}
