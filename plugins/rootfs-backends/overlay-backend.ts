import { chmod, chown, mkdir, readlink, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { RootFilesystem } from "../../sdk/contracts/contribution.js";
import type { RootfsBackend } from "../../sdk/contracts/image.js";
import type { Random } from "../../sdk/contracts/random.js";
import { errnoOf, TepuiError } from "../../sdk/errors/index.js";
import { overlayProblem } from "./overlay-probe.js";
import { removeTree } from "./remove-tree.js";

/** The kernel takes a page of options, with the zero at its end. */
const MAX_OPTION_BYTES = 4095;
/** What needs no care in the options of a mount. */
const PLAIN = /^[\w/.-]+$/;
const LINKS = /^tepui-[0-9a-f]{10}$/;

/**
 * The layers under overlayfs, unchanged, and what a container writes above them. Nothing is mounted here: the launcher does it in the
 * container's own mount namespace, so that an agent that is killed leaves nothing mounted.
 *
 * The kernel takes all paths in one page, and has its own ideas of commas and colons. So they are symbolic links of a few letters in
 * a directory of their own, below the agent's runtime directory, or, where that has too long a name, below /tmp, as in Mesos. The link
 * `links` in the directory of the root file system leads there.
 */
export class OverlayBackend implements RootfsBackend {
  /** @param runtimeDir `--runtime_dir` */
  constructor(
    private readonly random: Random,
    private readonly runtimeDir: string,
  ) {}

  async unusable(directory: string): Promise<string | undefined> {
    if (process.geteuid?.() !== 0) return "mounting takes root: run the agent as root";
    return overlayProblem(directory);
  }

  async create({
    layers,
    directory,
    signal,
  }: Parameters<RootfsBackend["create"]>[0]): Promise<RootFilesystem> {
    const path = join(directory, "rootfs");
    const upper = join(directory, "upper");
    const work = join(directory, "work");
    await Promise.all([path, upper, work].map((made) => mkdir(made)));
    await likeTop(upper, layers.at(-1));
    const { links, lower, options } = this.name(layers.length);
    // What leads to it comes first: then it is found and removed whatever happens.
    await symlink(links, join(directory, "links"));
    await mkdir(dirname(links), { recursive: true });
    await mkdir(links, { mode: 0o700 });
    await Promise.all([
      ...layers.map((layer, index) => symlink(layer, lower[index]!)),
      symlink(upper, join(links, "u")),
      symlink(work, join(links, "w")),
    ]);
    signal.throwIfAborted();
    return { path, mounts: [{ source: "overlay", target: path, type: "overlay", options }] };
  }

  async remove(directory: string): Promise<void> {
    const links = await readlink(join(directory, "links")).catch((error: unknown) => {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    });
    // Only what looks like one of ours: the link is a file that somebody could have changed.
    if (links !== undefined && LINKS.test(links.slice(links.lastIndexOf("/") + 1))) await removeTree(links);
    await removeTree(directory);
  }

  /** Names in the first place that is short enough for so many layers. */
  private name(layers: number): Named {
    const own = `tepui-${Buffer.from(this.random.bytes(5)).toString("hex")}`;
    for (const place of [join(this.runtimeDir, "links"), tmpdir(), "/tmp"]) {
      const links = join(place, own);
      const lower = Array.from({ length: layers }, (_, index) => join(links, String(index)));
      const options = [
        // The highest first.
        `lowerdir=${lower.toReversed().join(":")}`,
        `upperdir=${join(links, "u")}`,
        `workdir=${join(links, "w")}`,
      ];
      if (PLAIN.test(links) && options.join(",").length <= MAX_OPTION_BYTES) return { links, lower, options };
    }
    throw new TepuiError("TEPUI_IMAGE_INVALID", {
      detail: `it has ${layers} layers, more than overlayfs can stack here; use --image_provisioner_backend=copy`,
    });
  }
}

interface Named {
  /** Directory of the links. */
  readonly links: string;
  /** One for each layer. */
  readonly lower: readonly string[];
  /** Of the mount. */
  readonly options: readonly string[];
}

/** The root directory of a container is its upper layer's: it must look like that of the highest layer. */
async function likeTop(upper: string, layer: string | undefined): Promise<void> {
  if (layer === undefined) throw new TepuiError("TEPUI_IMAGE_INVALID", { detail: "it has no layers" });
  const { uid, gid, mode } = await stat(layer);
  await chown(upper, uid, gid);
  await chmod(upper, mode & 0o7777);
}
