import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { ImageGcConfig } from "../../proto/gen/json/mesos/internal/flags.js";
import type { ImageGcConfig as GcMessage } from "../../proto/gen/mesos/internal/flags.js";
import type { Image } from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { errnoOf, messageOf } from "../../sdk/errors/index.js";
import { Rounds } from "../../sdk/time/index.js";
import { type Duration, durationFromNs } from "../../sdk/values/index.js";

export interface ImageGcSettings {
  /** Share of the disk to be kept free, 0 to 1. */
  readonly headroom: number;
  readonly interval: Duration;
  readonly excludedImages: readonly Image[];
}

/**
 * Reads `--image_gc_config`, JSON of the message `ImageGcConfig`. A problem is thrown as an Error whose text ends a sentence.
 */
export function readGcConfig(value: unknown): ImageGcSettings {
  const message: GcMessage = ImageGcConfig.json.read(JSON.stringify(value));
  const headroom = message.image_disk_headroom!;
  const interval = durationFromNs(message.image_disk_watch_interval!.nanoseconds!);
  if (!(headroom >= 0 && headroom <= 1)) {
    throw new Error(`image_disk_headroom must be between 0 and 1, found ${headroom}`);
  }
  if (!(interval > 0)) throw new Error(`image_disk_watch_interval must be more than zero`);
  return { headroom, interval, excludedImages: message.excluded_images };
}

export interface ImageGcOptions {
  readonly settings: ImageGcSettings;
  /** Used share of the disk that images lie on, 0 to 1. */
  readonly usage: () => Promise<number>;
  readonly prune: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Looks from time to time how full the disk of the images is, and has those removed that are not in use when it is too full. */
export class ImageGc {
  private readonly rounds: Rounds;

  constructor(private readonly options: ImageGcOptions) {
    const { clock, settings, logger } = options;
    this.rounds = new Rounds({
      clock,
      interval: settings.interval,
      round: () => this.look(),
      failed: (error) => logger.error({ err: error }, "images could not be removed; trying again later"),
    });
  }

  start(): void {
    this.rounds.start();
  }

  stop(): Promise<void> {
    return this.rounds.stop();
  }

  private async look(): Promise<void> {
    const { settings, usage, prune, logger } = this.options;
    const used = await usage();
    if (used + settings.headroom <= 1) return;
    const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;
    logger.info(
      { used: percent(used), threshold: percent(1 - settings.headroom) },
      "the disk of the images is too full: removing images that are not in use",
    );
    await prune();
  }
}

/** Used share of the file system that this path is on, or will be. */
export async function diskUsage(path: string): Promise<number> {
  try {
    const { blocks, bfree } = await statfs(path);
    return blocks === 0 ? 0 : (blocks - bfree) / blocks;
  } catch (error) {
    const missing = errnoOf(error) === "ENOENT";
    if (!missing || dirname(path) === path) {
      throw new Error(`the disk usage of '${path}' cannot be read: ${messageOf(error)}`, { cause: error });
    }
    return diskUsage(dirname(path));
  }
}
