import { randomBytes, randomUUID } from "node:crypto";
import type { Random } from "./random.js";

/** Random numbers of the operating system; node:crypto draws the bytes of UUIDs in batches. */
export class SystemRandom implements Random {
  next(): number {
    // Math.random is seeded by the operating system and is enough here: ids and secrets come from uuid and bytes.
    return Math.random();
  }

  uuid(): string {
    return randomUUID();
  }

  bytes(count: number): Uint8Array {
    return new Uint8Array(randomBytes(count));
  }
}
