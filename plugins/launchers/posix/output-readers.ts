import { execFileSync, spawn } from "node:child_process";
import { chownSync, closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContainerOutput } from "../../../sdk/contracts/container-logger.js";

/** Paths for the output of a container; a program that reads a stream does so through a named pipe. */
export class OutputReaders {
  readonly stdout: string;
  readonly stderr: string;
  private directory: string | undefined;
  private readonly held: number[] = [];

  /** @param uid who writes; absent: this process's own user */
  constructor(
    io: { readonly stdout: ContainerOutput; readonly stderr: ContainerOutput },
    private readonly uid: number | undefined,
  ) {
    this.stdout = this.pathOf(io.stdout, "stdout");
    this.stderr = this.pathOf(io.stderr, "stderr");
  }

  /** The container has opened its output, or never will. */
  leave(): void {
    for (const fd of this.held.splice(0)) closeSync(fd);
    if (this.directory !== undefined) rmSync(this.directory, { recursive: true, force: true });
    this.directory = undefined;
  }

  private pathOf(output: ContainerOutput, name: string): string {
    if (typeof output === "string") return output;
    this.directory ??= mkdtempSync(join(tmpdir(), "tepui-output-"));
    const path = join(this.directory, name);
    execFileSync("mkfifo", ["-m", "600", path]);
    if (this.uid !== undefined) {
      chownSync(this.directory, this.uid, -1);
      chownSync(path, this.uid, -1);
    }
    // Held open for both: neither side waits for the other, and the reader sees no end before the container wrote.
    this.held.push(openSync(path, constants.O_RDWR));
    const input = openSync(path, constants.O_RDONLY);
    const [program, ...args] = output.command;
    const reader = spawn(program!, args, { cwd: "/", detached: true, stdio: [input, "ignore", "ignore"] });
    closeSync(input);
    reader.once("error", (error) => process.stderr.write(`cannot start '${program}': ${error.message}\n`));
    reader.unref();
    return path;
  }
}
