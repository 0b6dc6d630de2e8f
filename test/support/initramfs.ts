import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { finished } from "node:stream/promises";

/** What one place of the file system holds. */
export type Content =
  | { readonly from: string }
  | { readonly text: string; readonly executable?: boolean }
  | { readonly link: string };

/** By absolute path in the file system; a host directory brings all that is in it. */
export type Contents = Readonly<Record<string, Content>>;

const DIRECTORY = 0o040755;
const EXECUTABLE = 0o100755;
const PLAIN = 0o100644;
const LINK = 0o120777;

/** Writes a file system that a kernel boots from: a cpio archive of the `newc` form, see the kernel's initramfs-buffer-format. */
export async function writeInitramfs(file: string, contents: Contents): Promise<void> {
  const archive = new Archive(file);
  for (const [path, content] of Object.entries(contents)) await archive.place(path, content);
  await archive.end();
}

class Archive {
  readonly #stream;
  readonly #present = new Set<string>(["/"]);
  #inode = 1;

  constructor(file: string) {
    this.#stream = createWriteStream(file);
  }

  async place(path: string, content: Content): Promise<void> {
    if ("text" in content)
      this.#add(path, content.executable === true ? EXECUTABLE : PLAIN, Buffer.from(content.text));
    else if ("link" in content) this.#add(path, LINK, Buffer.from(content.link));
    else await this.#copy(path, content.from);
    if (this.#stream.writableNeedDrain) await once(this.#stream, "drain");
  }

  async #copy(path: string, from: string): Promise<void> {
    const stat = await lstat(from);
    if (stat.isDirectory()) {
      this.#directory(path);
      for (const name of (await readdir(from)).sort())
        await this.place(join(path, name), { from: join(from, name) });
    } else if (stat.isSymbolicLink()) this.#add(path, LINK, Buffer.from(await readlink(from)));
    else if (stat.isFile()) this.#add(path, stat.mode & 0o100 ? EXECUTABLE : PLAIN, await readFile(from));
  }

  #directory(path: string): void {
    if (this.#present.has(path)) return;
    this.#add(path, DIRECTORY, Buffer.alloc(0));
  }

  #add(path: string, mode: number, data: Buffer): void {
    // The first one stands: programs share their libraries.
    if (this.#present.has(path)) return;
    this.#directory(dirname(path));
    this.#present.add(path);
    this.#entry(path.slice(1), mode, data);
  }

  #entry(name: string, mode: number, data: Buffer): void {
    this.#inode += 1;
    const nameBytes = Buffer.byteLength(name) + 1;
    const links = mode === DIRECTORY ? 2 : 1;
    const fields = [this.#inode, mode, 0, 0, links, 0, data.length, 0, 0, 0, 0, nameBytes, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
    this.#write(Buffer.from(`${header}${name}\0`, "latin1"));
    this.#write(data);
  }

  /** Everything begins at a multiple of four bytes. */
  #write(bytes: Buffer): void {
    this.#stream.write(bytes);
    this.#stream.write(Buffer.alloc((4 - (bytes.length % 4)) % 4));
  }

  async end(): Promise<void> {
    this.#entry("TRAILER!!!", 0, Buffer.alloc(0));
    this.#stream.end();
    await finished(this.#stream);
  }
}
