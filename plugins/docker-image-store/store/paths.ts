import { createHash } from "node:crypto";
import { join, resolve } from "node:path";

/** Where the store keeps what; all below one directory, and on one file system. */
export class StorePaths {
  constructor(readonly root: string) {}

  /** What there is; the only file that decides it. */
  readonly catalogue = (): string => join(this.root, "images.json");
  readonly layers = (): string => join(this.root, "layers");
  readonly layer = (diffId: string): string => join(this.layers(), hexOf(diffId));
  readonly configs = (): string => join(this.root, "blobs", "sha256");
  readonly config = (digest: string): string => join(this.configs(), hexOf(digest));
  /** What is being made: of no use to the next run. */
  readonly staging = (): string => join(this.root, "staging");
  /** What is being removed. */
  readonly rubbish = (): string => join(this.root, "gc");
}

/**
 * The store of one agent: agents on one host that share a `docker_store_dir`, which is the default, would remove one another's layers.
 */
export function agentStore(dockerStoreDir: string, workDir: string): string {
  const agent = createHash("sha256").update(resolve(workDir)).digest("hex").slice(0, 16);
  return join(resolve(dockerStoreDir), agent);
}

const hexOf = (digest: string): string => digest.slice("sha256:".length);
