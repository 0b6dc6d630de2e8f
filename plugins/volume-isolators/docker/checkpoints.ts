import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../../sdk/errors/index.js";
import type { DockerVolume } from "./driver.js";

const FILE = "volumes";

/** Which container uses which volumes, in Mesos's form: one directory a container, below a directory of this agent alone. */
export class VolumeCheckpoints {
  constructor(private readonly directory: string) {}

  async open(): Promise<void> {
    await mkdir(this.directory, { recursive: true });
  }

  /** All of them; one that was cut short while it was written is empty, for then nothing was mounted yet. */
  async read(): Promise<Map<string, DockerVolume[]>> {
    const found = new Map<string, DockerVolume[]>();
    for (const id of await readdir(this.directory)) {
      const text = await readFile(join(this.directory, id, FILE), "utf8").catch((error: unknown) => {
        if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return "";
        throw error;
      });
      found.set(id, text === "" ? [] : volumesIn(text, join(this.directory, id, FILE)));
    }
    return found;
  }

  async write(containerId: string, volumes: readonly DockerVolume[]): Promise<void> {
    const directory = join(this.directory, containerId);
    await mkdir(directory, { recursive: true });
    const temporary = join(directory, `${FILE}.tmp`);
    await writeFile(temporary, JSON.stringify({ volumes }), { flush: true });
    await rename(temporary, join(directory, FILE));
  }

  async remove(containerId: string): Promise<void> {
    await rm(join(this.directory, containerId), { recursive: true, force: true });
  }
}

function volumesIn(text: string, file: string): DockerVolume[] {
  try {
    const { volumes } = JSON.parse(text) as { volumes?: Partial<DockerVolume>[] };
    return (volumes ?? []).map(({ driver, name }) => {
      if (typeof driver !== "string" || typeof name !== "string") throw new Error("no driver or name");
      return { driver, name };
    });
  } catch (error) {
    throw new Error(`Failed to read docker volumes checkpoint file '${file}'`, { cause: error });
  }
}
