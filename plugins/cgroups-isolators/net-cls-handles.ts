const COUNT = 0x1_0000;

/** Inclusive. */
export interface HandleRange {
  readonly lower: number;
  readonly upper: number;
}

/** All secondary handles but 0, which stands for the class itself. */
const EVERY_SECONDARY: HandleRange = { lower: 1, upper: COUNT - 1 };

/** Hands out classes of traffic `primary:secondary`, packed as the kernel takes them: 0xAAAABBBB. */
export class NetClsHandles {
  /** By secondary handle. */
  private readonly used = new Uint8Array(COUNT).fill(1);

  constructor(
    private readonly primary: number,
    { lower, upper }: HandleRange = EVERY_SECONDARY,
  ) {
    this.used.fill(0, lower, upper + 1);
  }

  /** The lowest free one; undefined when all are taken. */
  allocate(): number | undefined {
    const secondary = this.used.indexOf(0);
    if (secondary < 0) return undefined;
    this.used[secondary] = 1;
    return this.primary * COUNT + secondary;
  }

  /** Takes one that is in use already. False when it is another's, or not one of these. */
  reserve(handle: number): boolean {
    if (!this.isMine(handle) || this.used[handle % COUNT] === 1) return false;
    this.used[handle % COUNT] = 1;
    return true;
  }

  /** Only what `allocate` or `reserve` gave. */
  free(handle: number): void {
    if (this.isMine(handle)) this.used[handle % COUNT] = 0;
  }

  private isMine(handle: number): boolean {
    return Math.floor(handle / COUNT) === this.primary;
  }
}

/** A 16-bit number, decimal or `0x...`; undefined for anything else. */
export function parseHandle(text: string): number | undefined {
  if (!/^\s*(0x[0-9a-f]{1,4}|\d{1,5})\s*$/i.test(text)) return undefined;
  const value = Number(text);
  return value < COUNT ? value : undefined;
}

/** `lower,upper`; undefined for anything else. */
export function parseHandleRange(text: string): HandleRange | undefined {
  const [lower, upper, ...rest] = text.split(",").map(parseHandle);
  if (lower === undefined || upper === undefined || rest.length > 0) return undefined;
  return lower === 0 || lower > upper ? undefined : { lower, upper };
}
