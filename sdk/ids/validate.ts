/** The longest id, in bytes: Mesos uses ids as file names, and this is the limit of a file name on Linux. */
export const MAX_ID_BYTES = 255;

/** The longest container id, in bytes; the rest of a file name is left for what Mesos appends to it. */
export const MAX_CONTAINER_ID_BYTES = 242;

const SPACE = 0x20;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const DELETE = 0x7f;

/**
 * Says what is wrong with an id, in Mesos's words, or undefined for a good one. These are the rules of task, executor,
 * framework and agent ids and of persistence ids of volumes.
 */
export function validateId(id: string): string | undefined {
  if (id === "") return "ID must not be empty";
  // A code unit takes at most three bytes, so most ids need no counting.
  if (id.length * 3 > MAX_ID_BYTES && Buffer.byteLength(id) > MAX_ID_BYTES) {
    return `ID must not be greater than ${MAX_ID_BYTES} characters`;
  }
  if (id === "." || id === "..") return `'${id}' is disallowed`;
  if (hasInvalidCharacter(id)) return `'${id}' contains invalid characters`;
  return undefined;
}

/** Control characters, and both kinds of slash, because ids become directories. */
function hasInvalidCharacter(id: string): boolean {
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i);
    if (code < SPACE || code === SLASH || code === BACKSLASH || code === DELETE) return true;
  }
  return false;
}
