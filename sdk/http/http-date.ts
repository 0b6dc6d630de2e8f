import type { Clock } from "../contracts/clock.js";

/** The value of a `Date` header, made once a second. */
export class HttpDate {
  private second = -1;
  private text = "";

  constructor(private readonly clock: Clock) {}

  /** `Sun, 22 Nov 2026 08:17:30 GMT` */
  now(): string {
    const second = Math.floor(this.clock.now() / 1000);
    if (second !== this.second) {
      this.second = second;
      this.text = new Date(second * 1000).toUTCString();
    }
    return this.text;
  }
}
