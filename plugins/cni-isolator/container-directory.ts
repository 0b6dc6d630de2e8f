import { chmod, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../sdk/errors/index.js";
import type { Attachment } from "./attachment.js";
import { isObject, type JsonObject } from "./json.js";

const RESULT = ".result.json";
const ATTACHMENT = ".json";

/** Names of the files of a container's `/etc` that are its own. */
export const NETWORK_FILES = ["hosts", "hostname", "resolv.conf"] as const;
export type NetworkFile = (typeof NETWORK_FILES)[number];

/**
 * What is written down about one container, to be found again after the agent was killed at any instant:
 *
 *     ns                the network namespace, mounted here
 *     hosts, hostname, resolv.conf
 *     eth0.json         an Attachment, from before the first ADD of the network until after its last DEL
 *     eth0.result.json  what the last ADD of the chain that ended well answered
 */
export class ContainerDirectory {
  constructor(readonly path: string) {}

  get namespace(): string {
    return join(this.path, "ns");
  }

  async create(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o755 });
  }

  file(name: NetworkFile): string {
    return join(this.path, name);
  }

  /** In place: where it was bound into a container, that sees the new content. Readable to all, whatever the agent's umask. */
  async writeFile(name: NetworkFile, content: string): Promise<void> {
    await writeFile(this.file(name), content, { mode: 0o644 });
    await chmod(this.file(name), 0o644);
  }

  async saveAttachment(attachment: Attachment): Promise<void> {
    await this.save(attachment.ifName + ATTACHMENT, attachment);
  }

  async saveResult({ ifName }: Attachment, result: JsonObject): Promise<void> {
    await this.save(ifName + RESULT, result);
  }

  /** Undefined where none was written down, or not completely. */
  async result({ ifName }: Attachment): Promise<JsonObject | undefined> {
    try {
      return await this.load(ifName + RESULT);
    } catch {
      return undefined;
    }
  }

  /** Those for which DEL is owed, in the order of their ADD. Throws for one that cannot be read. */
  async attachments(): Promise<Attachment[]> {
    const found: Attachment[] = [];
    for (const name of await this.names()) {
      if (!name.endsWith(ATTACHMENT) || name.endsWith(RESULT)) continue;
      const { network, ifName, plugins, args } = await this.load(name);
      found.push({
        network: String(network),
        ifName: String(ifName),
        plugins: plugins as Attachment["plugins"],
        args: typeof args === "string" ? args : undefined,
      });
    }
    return found.sort((a, b) => indexOf(a) - indexOf(b));
  }

  async forget({ ifName }: Attachment): Promise<void> {
    await rm(join(this.path, ifName + ATTACHMENT), { force: true });
    await rm(join(this.path, ifName + RESULT), { force: true });
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  private async names(): Promise<string[]> {
    try {
      return await readdir(this.path);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  private async load(name: string): Promise<JsonObject> {
    const value: unknown = JSON.parse(await readFile(join(this.path, name), "utf8"));
    if (!isObject(value)) throw new Error(`${join(this.path, name)} holds no JSON object`);
    return value;
  }

  /** Whole or not at all, and on the disk: with `--network_cni_root_dir_persist` it has to outlive the host's crash. */
  private async save(name: string, content: object): Promise<void> {
    const path = join(this.path, name);
    const file = await open(`${path}.new`, "w", 0o600);
    try {
      await file.writeFile(JSON.stringify(content));
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  }
}

const indexOf = ({ ifName }: Attachment): number => Number(ifName.replace(/^\D+/, ""));
