import { existsSync } from "node:fs";
import { lstat, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Metrics } from "../../sdk/contracts/metrics.js";
import { errnoOf, TepuiError } from "../../sdk/errors/index.js";
import { parseResources } from "../../sdk/resources/index.js";
import { giveToGroup } from "./give-to-group.js";

export interface GidRange {
  readonly begin: number;
  readonly end: number;
}

/** Reads `[10000-20000]`. Throws an Error that says what is wrong. */
export function parseGidRange(text: string): GidRange[] {
  const parsed = parseResources(`gids:${text}`);
  const ends = (parsed.ok ? parsed.value.entries[0]?.ranges : undefined) ?? [];
  const found: GidRange[] = [];
  for (let index = 0; index + 1 < ends.length; index += 2)
    found.push({ begin: ends[index]!, end: ends[index + 1]! });
  if (found.length === 0 || found.some(({ begin, end }) => begin < 1 || end > 0xffff_fffe))
    throw new Error(`must be ranges of group numbers such as [10000-20000], not '${text}'`);
  return found;
}

/**
 * Gives each volume a group of its own out of a range, so that users who share no group can share the volume. Which volume has which
 * group survives the agent and the host, as the volumes do. A volume's number is free again when the volume is gone.
 */
export class VolumeGids {
  /** Host path of the volume -> number. */
  private readonly given = new Map<string, number>();
  private readonly settling = new Map<string, Promise<void>>();
  private saved: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: {
      readonly ranges: readonly GidRange[];
      /** File that keeps them. */
      readonly file: string;
    },
  ) {}

  publish(metrics: Metrics): void {
    metrics.gauge("volume_gid_manager/volume_gids_total", () => this.total);
    metrics.gauge("volume_gid_manager/volume_gids_free", () => this.total - this.used);
  }

  /** Once, before `allocate`. */
  async recover(): Promise<void> {
    let text: string;
    try {
      text = await readFile(this.options.file, "utf8");
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      throw error;
    }
    for (const [path, gid] of Object.entries(this.parse(text)))
      if (typeof gid === "number") this.given.set(path, gid);
    this.forgetGone();
  }

  /** The volume's group. Its files are given to the group before this resolves, and new ones inherit it. */
  async allocate(path: string): Promise<number> {
    const { gid: owned } = await lstat(path);
    const known = this.given.get(path);
    if (known === undefined && this.inRange(owned)) return owned;
    const gid = known ?? (await this.take(path));
    // Not only once: the volume may have been removed and made anew under the same name.
    if (owned !== gid || this.settling.has(path)) await this.settle(path, gid);
    return gid;
  }

  private async take(path: string): Promise<number> {
    let gid = this.free();
    if (gid === undefined) {
      this.forgetGone();
      gid = this.free();
    }
    if (gid === undefined)
      throw new Error(
        `Failed to allocate gid to the volume path '${path}' because the free gid range is exhausted`,
      );
    this.given.set(path, gid);
    try {
      await this.save();
    } catch (error) {
      // The next run of the agent would give it to another volume, too.
      this.given.delete(path);
      throw error;
    }
    return gid;
  }

  private settle(path: string, gid: number): Promise<void> {
    let settling = this.settling.get(path);
    if (settling === undefined) {
      settling = giveToGroup(path, gid).finally(() => this.settling.delete(path));
      this.settling.set(path, settling);
    }
    return settling;
  }

  private parse(text: string): object {
    try {
      const read: unknown = JSON.parse(text);
      if (typeof read === "object" && read !== null) return read;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    throw new TepuiError("TEPUI_ISOLATION_UNAVAILABLE", {
      detail: `the groups of volumes cannot be read from '${this.options.file}': restore the file, or remove it to give groups anew`,
    });
  }

  private free(): number | undefined {
    const used = new Set(this.given.values());
    for (const { begin, end } of this.options.ranges)
      for (let gid = begin; gid <= end; gid++) if (!used.has(gid)) return gid;
    return undefined;
  }

  private forgetGone(): void {
    for (const path of this.given.keys()) if (!existsSync(path)) this.given.delete(path);
  }

  private save(): Promise<void> {
    const { file } = this.options;
    this.saved = this.saved
      .catch(() => undefined)
      .then(async () => {
        const temporary = `${file}.tmp`;
        await mkdir(dirname(file), { recursive: true });
        await writeFile(temporary, JSON.stringify(Object.fromEntries(this.given)), { flush: true });
        await rename(temporary, file);
      });
    return this.saved;
  }

  private inRange(gid: number): boolean {
    return this.options.ranges.some(({ begin, end }) => begin <= gid && gid <= end);
  }

  private get total(): number {
    return this.options.ranges.reduce((sum, { begin, end }) => sum + end - begin + 1, 0);
  }

  private get used(): number {
    return [...this.given.values()].filter((gid) => this.inRange(gid)).length;
  }
}
