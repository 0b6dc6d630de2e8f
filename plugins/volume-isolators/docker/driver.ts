import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** As long as Mesos waits; milliseconds. */
const MOUNT_TIMEOUT = 120_000;
const UNMOUNT_TIMEOUT = 600_000;

/** What names a volume. */
export interface DockerVolume {
  readonly driver: string;
  readonly name: string;
}

/** Plugins of the Docker engine that bring volumes, without the engine. */
export interface VolumeDriver {
  /** Resolves to the host path at which the volume is mounted now. */
  mount(
    volume: DockerVolume,
    options: readonly { readonly key: string; readonly value: string }[],
  ): Promise<string>;
  unmount(volume: DockerVolume): Promise<void>;
}

/** By the program dvdcli, as Mesos. */
export class DvdcliDriver implements VolumeDriver {
  private program = "dvdcli";

  /** False when the agent's PATH does not have the program. */
  find(): boolean {
    const found = findProgram("dvdcli");
    if (found !== undefined) this.program = found;
    return found !== undefined;
  }

  async mount(
    volume: DockerVolume,
    options: readonly { readonly key: string; readonly value: string }[],
  ): Promise<string> {
    const more = options.map(({ key, value }) => `--volumeopts=${key}=${value}`);
    const place = (await this.run("mount", volume, { more, timeout: MOUNT_TIMEOUT })).trim();
    if (!place.startsWith("/"))
      throw new Error(
        `'dvdcli mount' says that the volume '${volume.name}' is at '${place}', which is no path`,
      );
    return place;
  }

  async unmount(volume: DockerVolume): Promise<void> {
    await this.run("unmount", volume, { more: [], timeout: UNMOUNT_TIMEOUT });
  }

  private async run(
    act: "mount" | "unmount",
    { driver, name }: DockerVolume,
    { more, timeout }: { more: readonly string[]; timeout: number },
  ): Promise<string> {
    const words = [act, `--volumedriver=${driver}`, `--volumename=${name}`, ...more];
    try {
      return (await run(this.program, words, { timeout, killSignal: "SIGKILL" })).stdout;
    } catch (error) {
      throw new Error(
        `'dvdcli ${act}' of the volume '${name}' with driver '${driver}' failed: ${reasonOf(error, timeout)}`,
        {
          cause: error,
        },
      );
    }
  }
}

const findProgram = (name: string): string | undefined =>
  (process.env.PATH ?? "")
    .split(delimiter)
    .filter((place) => place !== "")
    .map((place) => join(place, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });

function reasonOf(error: unknown, timeout: number): string {
  if (!(error instanceof Error)) return String(error);
  if ("killed" in error && error.killed === true) return `it did not end within ${timeout / 1000} seconds`;
  const said = "stderr" in error ? String(error.stderr).trim() : "";
  return said === "" ? error.message : said;
}
