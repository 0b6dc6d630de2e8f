import { lstat, readdir, readFile, readlink } from "node:fs/promises";

/** File access for reading what an earlier run of the agent left behind. Methods reject as Node's do. */
export interface StateFiles {
  readFile(path: string): Promise<Buffer>;
  readlink(path: string): Promise<string>;
  readdir(path: string): Promise<string[]>;
  lstat(path: string): Promise<{ readonly mtimeMs: number; isDirectory(): boolean }>;
}

export const REAL_FILES: StateFiles = {
  readFile: (path) => readFile(path),
  readlink: (path) => readlink(path),
  readdir: (path) => readdir(path),
  lstat: (path) => lstat(path),
};
