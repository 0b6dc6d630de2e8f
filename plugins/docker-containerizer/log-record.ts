import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { ContainerIo } from "../../sdk/contracts/container-logger.js";
import { errnoOf } from "../../sdk/errors/index.js";
import { z } from "../../sdk/plugin/index.js";

const output = z.union([z.string(), z.strictObject({ command: z.array(z.string()).readonly() })]);

const place = z.strictObject({ time: z.string().optional(), count: z.number(), size: z.number() });

const schema = z.strictObject({
  version: z.literal(1),
  io: z.strictObject({ stdout: output, stderr: output }),
  progress: z.strictObject({ stdout: place, stderr: place }),
});

/** How far one stream of a log has been copied: all up to and with this message, and nothing after it. */
export interface LogPlace {
  /** Of the last message; absent: none was copied yet. */
  readonly time?: string | undefined;
  /** How many messages of that very time. */
  readonly count: number;
  /** Bytes that the output holds at this place. */
  readonly size: number;
}

/** The streams apart: between them the engine does not keep the order of time. */
export interface LogProgress {
  readonly stdout: LogPlace;
  readonly stderr: LogPlace;
}

/** What must survive the agent for the rest of a log to be copied without a gap and without a repetition. */
export interface LogRecord {
  readonly io: ContainerIo;
  readonly progress: LogProgress;
}

export const logRecordPath = (directory: string, containerId: string): string =>
  join(directory, basename(containerId));

export async function writeLogRecord(path: string, { io, progress }: LogRecord): Promise<void> {
  await writeFile(`${path}.new`, JSON.stringify({ version: 1, io, progress }));
  await rename(`${path}.new`, path);
}

/** Undefined when there is none that can be read. */
export async function readLogRecord(path: string): Promise<LogRecord | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  const { io, progress } = schema.parse(JSON.parse(text));
  return { io, progress };
}

export async function removeLogRecord(path: string): Promise<void> {
  await Promise.all([path, `${path}.new`].map((file) => rm(file, { force: true })));
}
