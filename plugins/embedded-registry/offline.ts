import { join } from "node:path";
import { errnoOf } from "../../sdk/errors/index.js";
import { DirectoryLock } from "../../sdk/files/index.js";
import type { RegistryFacts } from "../../sdk/registry/index.js";
import { newSegment } from "./segment.js";
import { readNamed, SegmentDirectory } from "./segment-directory.js";

/** A segment may be replaced between listing the directory and reading the file. */
const READ_ATTEMPTS = 10;

/**
 * Reads the registry in the directory, even while a master writes to it; changes nothing. Undefined: there is no registry.
 * Rejects with TEPUI_REGISTRY_UNREADABLE or a file system Error.
 */
export async function peekRegistry(directory: string): Promise<RegistryFacts | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const found = await new SegmentDirectory(directory).newest();
      return found && readNamed(join(directory, found.name), found.content).facts;
    } catch (error) {
      if (errnoOf(error) === "ENOENT" && attempt === 1) return undefined;
      if (attempt >= READ_ATTEMPTS) throw error;
    }
  }
}

/** Creates a registry in a directory that has none, and syncs it. */
export async function writeRegistry(directory: string, facts: RegistryFacts): Promise<void> {
  const files = new SegmentDirectory(directory);
  await files.create();
  const lock = await DirectoryLock.take(directory);
  try {
    if ((await files.newest()) !== undefined) throw new Error(`${directory} holds a registry already`);
    await files.begin(1n, newSegment(1n, facts));
  } finally {
    await files.close();
    await lock.release();
  }
}
