/**
 * A change of the disk, as data. Missing parent directories are created. With `unlessGone` nothing is done if the directory does not exist,
 * and that is no error: what the file describes was removed in the meantime.
 */
export type DiskOperation =
  | {
      readonly op: "mkdir";
      readonly path: string;
      readonly owner?: string | undefined;
      readonly durable?: boolean;
    }
  /** A directory below one in which others may write, whose links are not followed. */
  | {
      readonly op: "mkdir-inside";
      readonly path: string;
      readonly boundary: string;
      readonly owner?: string | undefined;
    }
  /** Replaces the whole file: a reader sees either the old or the new content. */
  | {
      readonly op: "write";
      readonly path: string;
      readonly data: Uint8Array;
      readonly durable?: boolean;
      readonly unlessGone?: boolean;
    }
  /** Writes a file that nobody reads before it is complete; half the cost of `write`. */
  | { readonly op: "create"; readonly path: string; readonly data: Uint8Array; readonly unlessGone?: boolean }
  | { readonly op: "append"; readonly path: string; readonly data: Uint8Array }
  /** Cuts a file off. */
  | { readonly op: "truncate"; readonly path: string; readonly size: number }
  /** Replaces what is there. */
  | { readonly op: "symlink"; readonly path: string; readonly target: string; readonly durable?: boolean }
  | { readonly op: "rename"; readonly from: string; readonly path: string }
  /** Makes a directory look recently used; a missing one is no error. */
  | { readonly op: "touch"; readonly path: string }
  /** Renames; a missing source is no error. With a boundary: `from` is below that directory, in which others may write. */
  | {
      readonly op: "move-aside";
      readonly from: string;
      readonly path: string;
      readonly boundary?: string | undefined;
    }
  /** Everything in a directory, but nothing on other file systems, which make it fail. A missing directory is no error. */
  | { readonly op: "empty"; readonly path: string }
  /** A whole tree; a missing one is no error. */
  | { readonly op: "remove"; readonly path: string };

/**
 * Changes the disk in the order of the calls, off the event loop.
 *
 * As in Mesos, what is written survives the death of the agent, but not that of the host unless it is `durable`: no task survives a crash
 * of the host, whatever is remembered of it.
 */
export interface Disk {
  /** Resolves when all operations are done; rejects with the first failure, after which the rest is not attempted. */
  apply(operations: readonly DiskOperation[]): Promise<void>;
  /**
   * Removes a tree that only its former users wrote to, without holding up anything else, however long it takes. What is mounted or linked
   * inside is not lost. The name is free for later operations immediately. Resolves when everything is gone.
   *
   * @param boundary a directory above it in which others may write: their links are not followed
   */
  discard(path: string, boundary?: string): Promise<void>;
  /** The second half of `discard`, for a tree that was moved aside: removes it, but nothing that is mounted or linked inside. */
  finishDiscard(aside: string): Promise<void>;
  /** Continues the removal of what an earlier run moved aside, into this directory or the default one. */
  resumeDiscards(directory?: string): Promise<void>;
}
