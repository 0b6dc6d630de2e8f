import type { ContainerTermination } from "../../sdk/contracts/containerizer.js";
import type { Provisioner } from "../../sdk/contracts/image.js";
import type { LaunchedProcess, Launcher } from "../../sdk/contracts/launcher.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Counter } from "../../sdk/contracts/metrics.js";
import { TepuiError } from "../../sdk/errors/index.js";
import type { Attachments } from "./attachments.js";
import type { Container } from "./container.js";
import type { PendingOperations } from "./pending-operations.js";
import type { SavedSurroundings } from "./surroundings.js";

/** Why what waits for a container stops waiting. One for all: making an error for each container that ends would cost. */
const ENDED = new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail: "the container was destroyed" });

export interface ContainerEndsOptions {
  readonly launcher: Launcher;
  readonly provisioner?: Provisioner | undefined;
  readonly surroundings: SavedSurroundings;
  readonly attachments: Attachments;
  readonly inProgress: PendingOperations;
  readonly destroyErrors: Counter;
  readonly logger: Logger;
  /** The launcher's record of a container. */
  readonly record: (id: string) => string;
  /** Nothing of the container is known any more. */
  readonly forgotten: (id: string) => void;
}

/** How containers end: by themselves, by a limit, or because somebody wants it, and always with those within them. */
export class ContainerEnds {
  constructor(private readonly options: ContainerEndsOptions) {}

  /** Watches a running container for limits, and ends with it. */
  async follow(container: Container, process: LaunchedProcess): Promise<ContainerTermination> {
    const { id, isolation, abort } = container;
    const failed = (error: unknown): void =>
      this.options.logger.error({ err: error, container: id }, "a container could not be cleaned up");
    isolation.watch(abort.signal, (limitation) => {
      container.limitation = limitation;
      this.settle(container).catch(failed);
    });
    const exit = await process.exited;
    container.limitation ??= await isolation.verdict();
    // What the main process left behind ends in the background; nobody waits for it.
    this.settle(container).catch(failed);
    const { limitation } = container;
    return {
      exit,
      reason: limitation?.reason,
      message: limitation?.message,
      limitation: limitation?.limitation,
    };
  }

  /** Ends it and those within it; how they ended stays known. */
  settle(container: Container): Promise<void> {
    if (!container.abort.signal.aborted) container.abort.abort(ENDED);
    if (container.settled === undefined) {
      container.settled = this.endAll(container);
      // What could not be ended now may be the next time.
      container.settled.catch(() => {
        container.settled = undefined;
      });
    }
    return container.settled;
  }

  private async endAll(container: Container): Promise<void> {
    const { launcher, provisioner, surroundings, inProgress, destroyErrors, logger } = this.options;
    const { id, isolation, children } = container;
    // What ends the one ends those within it, and is their reason, too.
    for (const child of children) child.limitation ??= container.limitation;
    // What cannot be ended here ends with the rest of what is in this container.
    for (const result of await Promise.allSettled([...children].map((child) => this.settle(child))))
      if (result.status === "rejected")
        logger.warn({ err: result.reason, container: id }, "a container within it could not be ended");
    const destroyed = launcher.destroy(id);
    await inProgress
      .track({ operation: "launcher::destroy", args: { containerId: id } }, destroyed)
      .catch((error: unknown) => {
        destroyErrors.inc();
        throw error;
      });
    let clean = await isolation.cleanup();
    try {
      await provisioner?.destroy(id);
    } catch (error) {
      clean = false;
      logger.warn({ err: error, container: id }, "a root file system could not be removed");
    }
    if (!clean) destroyErrors.inc();
    // Nobody looks into it any more, and there are secrets in it.
    await surroundings.forget(id);
  }

  /** Only when its owner destroys it: until then the record of how it ended must survive an agent that is killed. */
  async forget(container: Container): Promise<void> {
    const { launcher, surroundings, attachments, record, forgotten } = this.options;
    for (const child of container.children) await this.forget(child);
    await launcher.forget(record(container.id));
    await surroundings.forget(container.id);
    await attachments.forget(container.id, container.request);
    container.parent?.children.delete(container);
    forgotten(container.id);
  }
}
