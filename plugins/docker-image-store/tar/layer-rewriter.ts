import { invalid } from "../refusals.js";
import { shown, type TarEntry } from "./entry.js";

/** Before a name: it is gone from the layers below. */
const WHITEOUT = ".wh.";
/** In a directory: nothing of it in the layers below is to be seen. */
const OPAQUE = ".wh..wh..opq";
/** Other things that AUFS kept beside files. */
const AUFS_OWN = ".wh..wh.";
const OVERLAY_OPAQUE = "trusted.overlay.opaque";
const YES = Buffer.from("y");
/** As many links on the way to a file as Linux follows, with room. */
const MAX_LINKS = 255;
/** More than the largest images have; each costs memory until the layer is unpacked. */
const MAX_ENTRIES = 2_000_000;

/** Extended attributes that a layer may bring. Those of overlayfs are not among them: a layer could reach out with them. */
const isWanted = (name: string): boolean => name === "security.capability" || name.startsWith("user.");

/**
 * Turns the entries of a layer, as images carry it, into those of a directory that overlayfs can take as a lower one.
 *
 * - No entry leads out of the directory: names are made relative, `..` is refused, and what lies behind a symbolic link of the
 *   same layer goes where the link leads within the directory, as in a container with this root.
 * - Whiteouts become overlayfs's own: a character device 0/0 in place of a file, an attribute on an opaque directory.
 * - Directories that the layer leaves out come before what lies in them, for root and readable.
 */
export class LayerRewriter {
  /** All names that this layer has made: the entry of a directory, `implied` for one that has none, `other` for anything else. */
  private readonly made = new Map<string, TarEntry | "implied" | "other">([["", "implied"]]);
  private readonly links = new Map<string, string>();
  private readonly whiteouts = new Set<string>();
  private readonly opaque = new Set<string>();

  /** What to unpack in place of this entry. The content goes with the last of the list, where that is a file. */
  rewrite(entry: TarEntry): TarEntry[] {
    if (this.made.size + this.whiteouts.size > MAX_ENTRIES) {
      throw invalid(`the layer holds more than ${MAX_ENTRIES} files`);
    }
    const path = this.resolve(entry.path);
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (name.startsWith(WHITEOUT)) return this.whiteout(path, name);
    const before = this.parents(path);
    const { target, type } = entry;
    const clean = {
      ...entry,
      path: path === "" ? "." : path,
      target: type === "hard-link" ? this.resolve(target) : type === "symlink" ? target : "",
      xattrs: new Map([...entry.xattrs].filter(([key]) => isWanted(key))),
    };
    if (path === "" && type !== "directory") throw invalid("the layer's root is no directory");
    if (type === "hard-link" && this.links.has(clean.target)) {
      // A link to a link is one of its own.
      const symlink = { ...clean, type: "symlink" as const, target: this.links.get(clean.target)! };
      this.remember(path, symlink);
      return [...before, symlink];
    }
    this.remember(path, clean);
    return [...before, clean];
  }

  /** What to unpack at the end. */
  finish(): TarEntry[] {
    // Overlayfs shows whiteouts that have nothing to hide.
    const whiteouts = [...this.whiteouts].filter((path) => !this.isInOpaque(path));
    const entries = [...whiteouts, ...this.opaque].flatMap((path) => this.parents(path));
    const opaque = new Set(this.opaque);
    for (const path of whiteouts) {
      const made = this.made.get(path);
      if (made === undefined) entries.push({ ...whiteoutDevice, path });
      // A directory that the layer removes and makes anew. Anything else hides what was there by itself.
      else if (made !== "other") opaque.add(path);
    }
    for (const path of opaque) {
      const made = this.made.get(path);
      if (made === "other") continue;
      const directory = typeof made === "object" ? made : { ...plainDirectory, path: path || "." };
      entries.push({ ...directory, xattrs: new Map([...directory.xattrs, [OVERLAY_OPAQUE, YES] as const]) });
    }
    return entries;
  }

  private whiteout(path: string, name: string): TarEntry[] {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (name === OPAQUE) this.opaque.add(parent);
    else if (!name.startsWith(AUFS_OWN)) {
      const removed = name.slice(WHITEOUT.length);
      if (removed === "" || removed === "." || removed === "..") {
        throw invalid(`the layer removes '${shown(path)}', which no file is called`);
      }
      this.whiteouts.add(parent === "" ? removed : `${parent}/${removed}`);
    }
    return [];
  }

  /** Directories above `path` that no entry has made. */
  private parents(path: string): TarEntry[] {
    const missing: TarEntry[] = [];
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const parent = path.slice(0, slash);
      if (this.made.has(parent)) break;
      this.made.set(parent, "implied");
      missing.unshift({ ...plainDirectory, path: parent });
    }
    return missing;
  }

  private isInOpaque(path: string): boolean {
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      if (this.opaque.has(path.slice(0, slash))) return true;
    }
    return this.opaque.has("");
  }

  private remember(path: string, entry: TarEntry): void {
    this.made.set(path, entry.type === "directory" ? entry : "other");
    if (entry.type === "symlink") this.links.set(path, entry.target);
    else this.links.delete(path);
  }

  /** Relative to the layer's root, without a slash at either end; links of this layer on the way are followed. */
  private resolve(name: string): string {
    if (name.includes("\0")) throw invalid("the layer holds a name with a NUL");
    const wanted = partsOf(name);
    if (wanted.includes("..")) throw invalid(`the layer holds '${shown(name)}', which leads out of it`);
    if (this.links.size === 0) return wanted.join("/");
    const queue = wanted;
    const done: string[] = [];
    let followed = 0;
    while (queue.length > 0) {
      const part = queue.shift()!;
      // Above the root is the root.
      if (part === "..") done.pop();
      else done.push(part);
      // The last name is the entry itself.
      if (part === ".." || queue.length === 0) continue;
      const target = this.links.get(done.join("/"));
      if (target === undefined) continue;
      if (++followed > MAX_LINKS) throw invalid(`the layer's links on the way to '${shown(name)}' never end`);
      done.pop();
      if (target.startsWith("/")) done.length = 0;
      queue.unshift(...partsOf(target));
    }
    return done.join("/");
  }
}

const partsOf = (path: string): string[] => path.split("/").filter((part) => part !== "" && part !== ".");

const plainDirectory: TarEntry = {
  type: "directory",
  path: ".",
  target: "",
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: "0",
  size: 0,
  major: 0,
  minor: 0,
  xattrs: new Map(),
};

const whiteoutDevice: TarEntry = { ...plainDirectory, type: "character", mode: 0 };
