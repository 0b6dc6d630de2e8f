import { problemOf, reading, z } from "../../sdk/plugin/index.js";
import { parseBytes } from "../../sdk/values/index.js";

/** How one stream of a container is kept. */
export interface Rotation {
  /** Bytes of the file that is written. */
  readonly maxSize: number;
  /** Lines of a logrotate configuration, for this file. */
  readonly options: string | undefined;
}

/** A memory page, as Mesos asks for. */
const SMALLEST = 4096;

const size = z
  .union([z.string(), z.number()])
  .transform(reading(parseBytes))
  .refine((bytes) => bytes >= SMALLEST, `must be at least ${SMALLEST} bytes`)
  .meta({ description: `Size of a file, such as 64MB; at least ${SMALLEST} bytes.` })
  .optional();

const options = z.string().optional();

/** How both streams of a container are kept, by the names of the parameters of Mesos's module. */
export const rotationFields = {
  max_stdout_size: size,
  logrotate_stdout_options: options,
  max_stderr_size: size,
  logrotate_stderr_options: options,
};

const rotations = z.strictObject(rotationFields);

/** What is not there is left to the defaults. */
export type Rotations = z.output<typeof rotations>;

export const DEFAULT_SIZE = 10 * 1024 * 1024;

/**
 * How many rotated files these options keep, where that is all that they say; none, where they say nothing. Undefined: they take
 * logrotate itself.
 */
export function keptFiles(given: string | undefined): number | undefined {
  const text = (given ?? "").trim();
  if (text === "") return 0;
  const kept = /^rotate\s+(\d{1,4})$/.exec(text)?.[1];
  return kept === undefined ? undefined : Number(kept);
}

/** Reads settings in text form. What is wrong with them is the end of a sentence. */
export function readRotations(
  given: Readonly<Record<string, string>>,
): Rotations | { readonly problem: string } {
  const read = rotations.safeParse(given);
  return read.success ? read.data : { problem: problemOf(read.error) };
}
