import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { messageOf } from "../../sdk/errors/index.js";
import type { ContainerDirectory } from "./container-directory.js";
import { releaseNamespace } from "./network-namespace.js";
import type { PluginChain } from "./plugin-chain.js";
import type { Turns } from "./turns.js";

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;
/** After so many a network is given up of which no plugin ever said that the container had joined it. */
const ENOUGH_ATTEMPTS = 4;

export interface NetworkRemovalsOptions {
  readonly directory: (containerId: string) => ContainerDirectory;
  readonly chain: PluginChain;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Takes containers out of their networks, and forgets them once that is done. What fails is tried again, ever more seldom. */
export class NetworkRemovals {
  private readonly retries = new Set<Timer>();
  private stopped = false;

  constructor(private readonly options: NetworkRemovalsOptions) {}

  /**
   * To be called in the container's turn. A rejection is logged already, and will be tried again.
   *
   * @param attempt how often it failed before
   */
  async remove(id: string, attempt = 0): Promise<void> {
    try {
      await this.removeAll(id, attempt);
    } catch (error) {
      this.retry(id, attempt + 1, error);
      throw error;
    }
  }

  /** Tries no more; the next run of the agent will. */
  stop(): void {
    this.stopped = true;
    for (const timer of this.retries) timer.cancel();
    this.retries.clear();
  }

  private async removeAll(id: string, attempt: number): Promise<void> {
    const directory = this.options.directory(id);
    const failures: string[] = [];
    for (const attachment of (await directory.attachments()).toReversed()) {
      try {
        await this.options.chain.del({ containerId: id, directory, attachment });
      } catch (error) {
        const joined = (await directory.result(attachment)) !== undefined;
        if (joined || attempt < ENOUGH_ATTEMPTS) failures.push(messageOf(error));
        // Its plugins make nothing of this configuration, neither at ADD nor at DEL; that will not change.
        else
          this.options.logger.error(
            { container: id, err: error },
            "giving up a network that was never joined",
          );
      }
    }
    if (failures.length > 0) throw new Error(failures.join("; "));
    await releaseNamespace(directory.namespace);
    await directory.remove();
  }

  private retry(id: string, attempt: number, error: unknown): void {
    if (this.stopped) return;
    const { clock, logger, turns } = this.options;
    const delay = Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LAST_RETRY_MS);
    logger.error(
      { container: id, err: error },
      "the networks of a container cannot be removed; will try again",
    );
    const timer = clock.setTimeout(() => {
      this.retries.delete(timer);
      // Failures are logged, and tried again, where they happen.
      turns.run(id, () => this.remove(id, attempt)).catch(() => undefined);
    }, delay);
    this.retries.add(timer);
  }
}
