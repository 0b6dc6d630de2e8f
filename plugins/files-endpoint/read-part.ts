import { openRegularFile } from "./open-file.js";

/** Of one read: 16 pages. */
const MAX_READ_BYTES = 16 * 4096;

export interface FilePart {
  readonly offset: number;
  /** Undefined: up to the end. */
  readonly length: number | undefined;
}

/** What stands there of a file, no more than fits into 16 pages, and the size of the whole file. */
export async function readPart(
  found: { real: string; root: string },
  { offset, length }: FilePart,
): Promise<{ size: number; data: Buffer }> {
  const file = await openRegularFile(found, "read");
  try {
    const { size } = await file.stat();
    const wanted = Math.min(length ?? size, size - offset, MAX_READ_BYTES);
    if (wanted <= 0) return { size, data: Buffer.alloc(0) };
    const { buffer, bytesRead } = await file.read(Buffer.alloc(wanted), 0, wanted, offset);
    return { size, data: buffer.subarray(0, bytesRead) };
  } finally {
    await file.close();
  }
}
