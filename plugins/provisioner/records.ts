import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { errnoOf } from "../../sdk/errors/index.js";

/** One root file system of a container. */
export interface RootfsPlace {
  readonly backend: string;
  readonly directory: string;
}

const layersFile = z.object({ version: z.literal(1), layers: z.array(z.string()) });
const LAYERS = "layers.json";

/**
 * What the provisioner has made, below `work_dir/provisioner`, laid out as Mesos does: the place of each root file system is
 * `containers/<container>/backends/<backend>/rootfses/<id>`, and `containers/<container>/layers.json` names the layers in use.
 */
export class ProvisionerRecords {
  constructor(readonly root: string) {}

  async containers(): Promise<string[]> {
    return listed(join(this.root, "containers"));
  }

  container(containerId: string): string {
    return join(this.root, "containers", containerId);
  }

  place(
    containerId: string,
    { backend, id }: { readonly backend: string; readonly id: string },
  ): RootfsPlace {
    return { backend, directory: join(this.container(containerId), "backends", backend, "rootfses", id) };
  }

  async places(containerId: string): Promise<RootfsPlace[]> {
    const backends = join(this.container(containerId), "backends");
    const places = (await listed(backends)).map(async (backend) =>
      (await listed(join(backends, backend, "rootfses"))).map((id) =>
        this.place(containerId, { backend, id }),
      ),
    );
    return (await Promise.all(places)).flat();
  }

  /** Undefined: there are none written down. Throws for what cannot be read. */
  async layers(containerId: string): Promise<string[] | undefined> {
    const path = join(this.container(containerId), LAYERS);
    try {
      return layersFile.parse(JSON.parse(await readFile(path, "utf8"))).layers;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw new Error(`${path} cannot be read`, { cause: error });
    }
  }

  async writeLayers(containerId: string, layers: readonly string[]): Promise<void> {
    const path = join(this.container(containerId), LAYERS);
    await mkdir(this.container(containerId), { recursive: true });
    {
      await using handle = await open(`${path}.next`, "w", 0o600);
      await handle.writeFile(JSON.stringify({ version: 1, layers }));
    }
    await rename(`${path}.next`, path);
  }
}

async function listed(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

const isMissing = (error: unknown): boolean => errnoOf(error) === "ENOENT";
