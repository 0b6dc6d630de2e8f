/**
 * A change of the disk, as data. Parent directories are made where they are missing; with `unlessGone` nothing is done there, which is fine: what
 * was to be told of was removed meanwhile.
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
  /** Replaces the file as a whole: a reader sees the old or the new content. */
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
  /** Replaces what was there. */
  | { readonly op: "symlink"; readonly path: string; readonly target: string; readonly durable?: boolean }
  | { readonly op: "rename"; readonly from: string; readonly path: string }
  /** Makes a directory look used now; nothing there is fine. */
  | { readonly op: "touch"; readonly path: string }
  /** Renames; nothing there is fine. With a boundary: `from` is below that directory, in which others may write. */
  | {
      readonly op: "move-aside";
      readonly from: string;
      readonly path: string;
      readonly boundary?: string | undefined;
    }
  /** All that is in a directory, but nothing of other file systems; these make it fail. Nothing there is fine. */
  | { readonly op: "empty"; readonly path: string }
  /** A whole tree; nothing there is fine. */
  | { readonly op: "remove"; readonly path: string };

/**
 * Changes the disk in the order of the calls, off the event loop.
 *
 * As in Mesos, what is written survives the death of the agent but not of the host unless it is `durable`: after a host's
 * crash none of the tasks lives, whatever was remembered of them.
 */
export interface Disk {
  /** Resolves when all operations are done; rejects with the first that failed, after which the rest was not tried. */
  apply(operations: readonly DiskOperation[]): Promise<void>;
  /**
   * Removes a tree that only its former users wrote to; however long that takes, it holds up nothing else. Of what is mounted or
   * linked inside nothing is lost. The name is free for later operations from now on. Resolves when everything is gone.
   *
   * @param boundary directory above it in which others may write: nothing of it is looked up through their links
   */
  discard(path: string, boundary?: string): Promise<void>;
  /** The second half of that, for a tree that was moved aside: removes it, and nothing of what is mounted or linked inside. */
  finishDiscard(aside: string): Promise<void>;
  /** Goes on with what an earlier run of the agent moved aside, into this directory or the usual one, and did not remove. */
  resumeDiscards(directory?: string): Promise<void>;
}
