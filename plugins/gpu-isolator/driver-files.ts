import { execFile } from "node:child_process";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";

/** The parts of the driver that run in a process of its user, and so must be of the kernel module's version. */
export interface DriverFiles {
  readonly binaries: readonly DriverFile[];
  readonly libraries: readonly DriverFile[];
}

interface DriverFile {
  /** Host path of the file itself. */
  readonly path: string;
  /** Names under which programs look for it; the first is that of the file. */
  readonly names: readonly string[];
}

const PROGRAMS = [
  "nvidia-smi",
  "nvidia-debugdump",
  "nvidia-persistenced",
  "nvidia-cuda-mps-control",
  "nvidia-cuda-mps-server",
];

/** By the start of their names: those for computing, managing and video, and for drawing without a screen. */
const LIBRARIES =
  /^(libnvidia-(ml|cfg|gpucomp|opencl|ptxjitcompiler|fatbinaryloader|compiler|nvvm|encode|opticalflow|eglcore|glcore|tls|glsi|fbc|ifr|rtcore|glvkspirv|allocator)|libcuda|libcudadebugger|libnvcuvid|libnvoptix|libvdpau_nvidia|lib(GLX|EGL|GLESv2|GLESv1_CM)_nvidia)\.so/;

const BINARY_FOLDERS = ["usr/bin", "usr/sbin", "usr/local/nvidia/bin", "usr/local/bin", "bin"];
const LIBRARY_FOLDERS = [
  "usr/lib",
  "usr/lib64",
  "usr/local/nvidia/lib64",
  "usr/local/nvidia/lib",
  "lib",
  "lib64",
];

/** Finds them by the linker's cache and in the usual folders. */
export async function findDriverFiles(root: string): Promise<DriverFiles> {
  const folders = new Set([
    ...(await cachedFolders(root)),
    ...LIBRARY_FOLDERS.map((folder) => join(root, folder)),
  ]);
  const triplets = (await readdir(join(root, "usr/lib")).catch(() => [])).filter((name) =>
    name.includes("-linux-gnu"),
  );
  for (const triplet of triplets) folders.add(join(root, "usr/lib", triplet));
  return {
    binaries: await collect(
      BINARY_FOLDERS.map((folder) => join(root, folder)),
      (name) => PROGRAMS.includes(name),
    ),
    libraries: await collect([...folders], (name) => LIBRARIES.test(name)),
  };
}

/** Files of several names once, whatever links lead to them; of several files of one name the first. */
async function collect(folders: readonly string[], wanted: (name: string) => boolean): Promise<DriverFile[]> {
  const files = new Map<string, string[]>();
  const taken = new Set<string>();
  for (const folder of folders) {
    for (const name of (await readdir(folder).catch(() => [])).filter(wanted).sort()) {
      if (taken.has(name)) continue;
      const path = await realpath(join(folder, name)).catch(() => undefined);
      if (path === undefined || !(await stat(path)).isFile()) continue;
      taken.add(name);
      const names = files.get(path);
      if (names === undefined) files.set(path, [name]);
      else names.push(name);
    }
  }
  return [...files].map(([path, names]) => {
    const own = basename(path);
    return { path, names: [own, ...names.filter((name) => name !== own)] };
  });
}

async function cachedFolders(root: string): Promise<string[]> {
  const cache = join(root, "etc/ld.so.cache");
  try {
    const { stdout } = await promisify(execFile)("/sbin/ldconfig", ["-p", "-C", cache], {
      maxBuffer: 1 << 24,
    });
    const paths = [...stdout.matchAll(/=> (\/\S+)$/gm)].map(([, path]) => path!);
    return [
      ...new Set(
        paths.filter((path) => LIBRARIES.test(basename(path))).map((path) => join(root, path, "..")),
      ),
    ];
  } catch {
    // No linker cache here (musl, or a root made up by a test): the usual folders are looked through all the same.
    return [];
  }
}
