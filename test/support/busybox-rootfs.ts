import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Context } from "mocha";
import { requirePart } from "./require-part.js";

const run = promisify(execFile);

const DIRECTORIES = ["bin", "dev", "etc", "proc", "root", "sys", "tmp", "usr", "var"];

/** A root file system of one static program, to make containers from. */
export interface BusyboxRootfs {
  /** Host path; of root, and readable for all. */
  readonly path: string;
  remove(): Promise<void>;
}

/** Makes one in a temporary directory; skips the test where Debian's busybox-static is missing. */
export async function busyboxRootfs(test: Context): Promise<BusyboxRootfs> {
  const program = requirePart(test, "busybox", "busybox-static");
  const path = await mkdtemp(join(tmpdir(), "tepui-rootfs-"));
  await chmod(path, 0o755);
  await fillBusyboxRootfs(path, program);
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Fills an existing directory: `/bin` with every command of busybox, `/etc` with users root and nobody, empty mount points. */
export async function fillBusyboxRootfs(path: string, program: string): Promise<void> {
  for (const name of DIRECTORIES) await mkdir(join(path, name), { recursive: true });
  await chmod(join(path, "tmp"), 0o1777);
  await copyFile(program, join(path, "bin/busybox"));
  await chmod(join(path, "bin/busybox"), 0o755);
  const { stdout } = await run(program, ["--list"]);
  const names = stdout.split("\n").filter((name) => name !== "" && name !== "busybox");
  await Promise.all(names.map((name) => symlink("busybox", join(path, "bin", name))));
  await writeFile(
    join(path, "etc/passwd"),
    "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n",
  );
  await writeFile(join(path, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
}
