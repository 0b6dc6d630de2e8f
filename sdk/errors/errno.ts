/** The code of what the operating system refused (`ENOENT`), or Node itself (`ERR_BUFFER_TOO_LARGE`); undefined where an error has none. */
export const errnoOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
