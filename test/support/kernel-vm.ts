import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Context } from "mocha";
import { type Contents, writeInitramfs } from "./initramfs.js";
import { programFiles } from "./program-files.js";
import { requirePart, requireThat } from "./require-part.js";

const run = promisify(execFile);

/**
 * Boots Debian's own kernel in a virtual machine of its own, whose one cgroup hierarchy is v2, and runs a command there. Without hardware
 * acceleration: it is some ten times slower than the host, so that what runs inside is to be small.
 */
export interface VmRun {
  /** Shell command line, run as root by busybox's sh. */
  readonly command: string;
  /** Beside busybox, what `programs` need, and the mounts of /proc, /sys, /dev, /dev/pts, /dev/shm, /run, /tmp and /sys/fs/cgroup. */
  readonly files?: Contents;
  /** Programs of this host, taken with the libraries that they are linked with. */
  readonly programs?: readonly string[];
  /** Modules of Debian's kernel, by name, loaded with what they need. */
  readonly modules?: readonly string[];
  readonly timeoutMs: number;
  readonly memoryMb?: number;
}

export interface VmResult {
  /** Of the command. */
  readonly code: number;
  /** Its standard output and error. */
  readonly output: string;
  /** What the kernel said. */
  readonly console: string;
}

const END = "@@ended:";

/** Whether this machine has what `runInVm` needs; skips the test, or fails it in CI. */
export function requireVm(test: Context): void {
  requirePart(test, "qemu-system-x86_64", "qemu-system-x86");
  requirePart(test, "busybox", "busybox-static");
  requireThat(
    test,
    kernelRelease() !== undefined,
    "no kernel to boot: apt-get install linux-image-cloud-amd64",
  );
}

/** Rejects when the machine does not come to the end of the command in time, with what it said until then. */
export async function runInVm(vm: VmRun): Promise<VmResult> {
  const directory = await mkdtemp(join(tmpdir(), "tepui-vm-"));
  try {
    await writeInitramfs(join(directory, "initramfs"), await contentsOf(vm));
    return await boot(directory, vm);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function boot(directory: string, vm: VmRun): Promise<VmResult> {
  const consoleFile = join(directory, "console");
  const machine = spawn("qemu-system-x86_64", [
    ...["-accel", "tcg", "-cpu", "max", "-m", String(vm.memoryMb ?? 1024), "-smp", "1"],
    ...["-nodefaults", "-display", "none", "-no-reboot", "-nic", "none"],
    ...["-kernel", `/boot/vmlinuz-${kernelRelease()}`, "-initrd", join(directory, "initramfs")],
    ...["-append", "console=ttyS0 loglevel=4 panic=-1 cgroup_no_v1=all"],
    ...["-serial", `file:${consoleFile}`, "-serial", "stdio"],
  ]);
  let output = "";
  for (const stream of [machine.stdout, machine.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  const tooLate = setTimeout(() => machine.kill("SIGKILL"), vm.timeoutMs);
  await once(machine, "close");
  clearTimeout(tooLate);
  const said = await readFile(consoleFile, "utf8").catch(() => "");
  const end = output.lastIndexOf(END);
  if (end < 0)
    throw new Error(
      `the virtual machine did not come to the end of: ${vm.command}\n${output}\n${said.slice(-3000)}`,
    );
  return {
    code: Number.parseInt(output.slice(end + END.length), 10),
    output: output.slice(0, end),
    console: said,
  };
}

function kernelRelease(): string | undefined {
  const prefix = "vmlinuz-";
  return readdirSync("/boot")
    .filter((name) => name.startsWith(prefix) && name.endsWith("-cloud-amd64"))
    .map((name) => name.slice(prefix.length))
    .at(-1);
}

async function contentsOf({ command, files = {}, programs = [], modules = [] }: VmRun): Promise<Contents> {
  const moduleFiles = await moduleClosure(modules);
  const contents: Record<string, Contents[string]> = {
    "/init": { text: initScript(command, moduleFiles), executable: true },
    "/bin/busybox": { from: await realpath(await which("busybox")) },
    "/bin/sh": { link: "busybox" },
    "/etc/passwd": { from: "/etc/passwd" },
    "/etc/group": { from: "/etc/group" },
    ...files,
  };
  for (const file of moduleFiles) contents[file] = { from: file };
  for (const program of programs)
    for (const [path, from] of await programFiles(program)) contents[path] = { from };
  return contents;
}

/**
 * The root file system that a kernel starts with cannot be left by pivot_root(2): what follows sees it through a mount that can. The
 * console is the kernel's, the second serial line the command's: neither speaks in the middle of the other.
 */
const initScript = (command: string, modules: readonly string[]): string => `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
if [ $$ = 1 ] && [ ! -e /top ]; then
  /bin/busybox mkdir /top
  /bin/busybox mount --bind / /top
  cd /top
  /bin/busybox mount --move . /
  exec /bin/busybox chroot . /init
fi
/bin/busybox mkdir -p /proc /sys /dev /run /tmp /root /etc /usr/bin /usr/sbin /sbin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
for place in /dev/shm /run /tmp; do mount -t tmpfs -o mode=1777 tmpfs $place; done
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
${modules.map((file) => `insmod ${file}`).join("\n")}
stty -F /dev/ttyS1 raw
cd /
{ ( ${command}
); echo "${END}$?"; } 2>&1 < /dev/null | cat > /dev/ttyS1
poweroff -f
`;

async function which(program: string): Promise<string> {
  return (await run("sh", ["-c", 'command -v "$1"', "sh", program])).stdout.trim();
}

/** Files of kernel modules in the order in which they are to be loaded. */
async function moduleClosure(modules: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const module of modules) {
    const { stdout } = await run("/sbin/modprobe", [
      "--show-depends",
      "--set-version",
      kernelRelease()!,
      module,
    ]);
    for (const [, file] of stdout.matchAll(/^insmod (\S+)/gm)) if (!files.includes(file!)) files.push(file!);
  }
  return files;
}
