import { execFile } from "node:child_process";

const KB = 1024;

export interface MeasureOptions {
  /** Paths below it that do not count. */
  readonly without: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Bytes on disk below a directory, by du(1), which counts a file with several names once and does not follow links. Rejects where that ended
 * without a sum. What vanishes or cannot be read meanwhile is left out.
 */
export function diskUse(directory: string, { without, signal }: MeasureOptions): Promise<bigint> {
  const excludes = without.map((path) => `--exclude=${literally(path)}`);
  return new Promise((resolve, reject) => {
    execFile(
      "du",
      ["-k", "-s", "-x", ...excludes, "--", `${directory}/`],
      { signal, env: { PATH: process.env.PATH, LC_ALL: "C" } },
      (error, stdout) => {
        const kilobytes = /^(\d+)\s/.exec(stdout)?.[1];
        if (kilobytes !== undefined) resolve(BigInt(kilobytes) * BigInt(KB));
        else reject(error ?? new Error(`du gave no sum for '${directory}'`));
      },
    );
  });
}

/** du takes patterns; container paths may hold what a pattern gives a meaning to. */
const literally = (path: string): string => path.replace(/[\\*?[\]]/g, "\\$&");
