import { open, realpath } from "node:fs/promises";
import { join, relative } from "node:path";
import { type Secret, Secret_Type } from "../../proto/gen/mesos/v1/mesos.js";
import type { SecretResolver } from "../../sdk/contracts/secret-resolver.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";

/** As much as an environment can hold. */
const LARGEST = 128 * 1024;

/** Secrets by value, and by reference to files below a directory. */
export class FileSecretResolver implements SecretResolver {
  constructor(private readonly directory: string | undefined) {}

  async resolve(secret: Secret): Promise<Buffer> {
    const { type, value, reference } = secret;
    if (value !== undefined && reference !== undefined)
      throw unresolved("it is both a value and a reference");
    if (type === Secret_Type.VALUE) {
      if (value === undefined) throw unresolved("it is of type VALUE and has no value");
      return Buffer.from(value.data ?? []);
    }
    if (type !== Secret_Type.REFERENCE) throw unresolved("it is neither of type VALUE nor REFERENCE");
    if (reference === undefined) throw unresolved("it is of type REFERENCE and has no reference");
    const name = [reference.name, ...(reference.key ? [reference.key] : [])].join("/");
    if (this.directory === undefined) {
      throw unresolved(`'${name}' is a reference, and this agent resolves values only`);
    }
    return this.read(name, this.directory);
  }

  private async read(name: string, directory: string): Promise<Buffer> {
    try {
      const root = await realpath(directory);
      const path = await realpath(join(root, name));
      const inside = relative(root, path);
      if (inside === "" || inside.startsWith(".."))
        throw unresolved(`'${name}' leaves the directory of secrets`);
      const file = await open(path);
      try {
        const { size } = await file.stat();
        if (size > LARGEST) throw unresolved(`'${name}' has ${size} bytes, more than ${LARGEST}`);
        return await file.readFile();
      } finally {
        await file.close();
      }
    } catch (error) {
      if (error instanceof TepuiError) throw error;
      throw unresolved(`'${name}' cannot be read: ${messageOf(error)}`);
    }
  }
}

const unresolved = (detail: string): TepuiError => new TepuiError("TEPUI_SECRET_UNRESOLVED", { detail });
