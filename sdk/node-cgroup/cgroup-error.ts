/** What to say of a failed step, and where it failed. */
export interface CgroupFailure {
  /** The file or directory, absolute. */
  readonly file?: string | undefined;
  /** What was to be written there. */
  readonly value?: string | undefined;
  /** Name of the system's error, e.g. `EBUSY`. */
  readonly errno?: string | undefined;
  readonly cause?: unknown;
}

/** The one error of this module: a sentence, and what it is about as data. */
export class CgroupError extends Error {
  override readonly name = "CgroupError";
  readonly file: string | undefined;
  readonly value: string | undefined;
  readonly errno: string | undefined;

  constructor(message: string, failure: CgroupFailure = {}) {
    super(message, failure.cause === undefined ? {} : { cause: failure.cause });
    this.file = failure.file;
    this.value = failure.value;
    this.errno = failure.errno;
  }
}

/** Name of the system's error; undefined for errors of another kind. */
export const errnoOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
