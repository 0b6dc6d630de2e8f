import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Major numbers that are kept for such uses: 60 to 63 are local and experimental. */
export const MAJOR = 60;
export const CONTROL_MAJOR = 61;

/** A root directory with the traces of an NVIDIA driver: real device nodes, of devices that nobody has. Needs root. */
export function makeUpNvidia(root: string, { gpus }: { gpus: number }): void {
  mkdirSync(join(root, "dev"), { recursive: true });
  for (const folder of ["usr/bin", "usr/lib/x86_64-linux-gnu", "etc"])
    mkdirSync(join(root, folder), { recursive: true });
  const node = (name: string, major: number, minor: number): void => {
    execFileSync("mknod", [join(root, "dev", name), "c", String(major), String(minor)]);
  };
  for (let index = 0; index < gpus; index++) {
    // Minor numbers need not follow the order of the PCI addresses.
    const minor = gpus - 1 - index;
    node(`nvidia${minor}`, MAJOR, minor);
    const folder = join(root, "proc/driver/nvidia/gpus", `0000:0${index}:00.0`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, "information"),
      `Model: \t\t Made up ${index}\nIRQ:   \t\t 11\nGPU UUID: \t GPU-0000000${index}\nDevice Minor: \t ${minor}\n`,
    );
  }
  node("nvidiactl", CONTROL_MAJOR, 255);
  node("nvidia-uvm", CONTROL_MAJOR, 0);
  writeFileSync(
    join(root, "proc/driver/nvidia/version"),
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC version: 12\n",
  );
  writeFileSync(join(root, "usr/bin/nvidia-smi"), "#!/bin/sh\necho made up\n", { mode: 0o755 });
  const libraries = join(root, "usr/lib/x86_64-linux-gnu");
  writeFileSync(join(libraries, "libcuda.so.535.104.05"), "cuda");
  symlinkSync("libcuda.so.535.104.05", join(libraries, "libcuda.so.1"));
  symlinkSync("libcuda.so.1", join(libraries, "libcuda.so"));
  writeFileSync(join(libraries, "libunrelated.so.1"), "");
}
