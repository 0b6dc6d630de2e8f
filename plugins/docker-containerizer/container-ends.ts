import type { Clock } from "../../sdk/contracts/clock.js";
import type { ContainerTermination } from "../../sdk/contracts/containerizer.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import { inTime } from "../../sdk/time/index.js";
import { type DockerContainer, isUnclear, terminationOf } from "./container.js";
import type { Engine } from "./engine.js";
import { isEngineError } from "./engine-error.js";
import { logRecordPath, removeLogRecord } from "./log-record.js";
import type { Removals } from "./removals.js";

/** How long the end of a container waits for its last output, in milliseconds. */
const OUTPUT_PATIENCE = 10_000;
const SIGKILL = 9;

/** Why what waits for a container stops waiting. */
const DESTROYED = new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail: "the container was destroyed" });

export interface ContainerEndsOptions {
  readonly engine: Engine;
  readonly removals: Removals;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where it is written down how far the output of containers was copied. */
  readonly recordsDirectory: string;
  /** Milliseconds from asking a container to end to ending it. */
  readonly stopTimeout: number;
  /** Milliseconds that an ended container is kept in the engine. */
  readonly removeDelay: number;
  /** Nothing of the container is known any more. */
  readonly forget: (id: string) => void;
}

/** How containers end: when somebody wants it, and when the engine says so. The engine may be away meanwhile. */
export class ContainerEnds {
  private stopped = false;
  /** Those who wait for the engine to come back. */
  private waiting: (() => void)[] = [];

  constructor(private readonly options: ContainerEndsOptions) {}

  /** Containers go on. */
  stop(): void {
    this.stopped = true;
    this.engineReturned();
  }

  engineReturned(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** The engine says that the container ended. Once it knows how, so does everybody. Never fails. */
  finish(container: DockerContainer): Promise<void> {
    container.finishing ??= this.observeEnd(container)
      .catch((error: unknown) => {
        // Asked again when the engine is back, or at the next look.
        this.options.logger.warn(
          { err: error, container: container.name },
          "how a container ended is not known yet",
        );
      })
      .finally(() => {
        if (!container.over) container.finishing = undefined;
      });
    return container.finishing;
  }

  /** Ends it for good, and puts away what is left of it; resolves when nothing is. */
  async tearDown(container: DockerContainer): Promise<void> {
    const { id, abort } = container;
    abort.abort(DESTROYED);
    const failure = await container.started.then(
      () => undefined,
      (error: unknown) => ({ message: messageOf(error) }),
    );
    if (failure === undefined) await this.halt(container);
    if (container.over) await this.outputIn(container.name, container.logs?.settled());
    await container.logs?.close();
    // Only now: until its owner lets it go, an agent that is killed must find out how it ended.
    this.options.forget(id);
    await removeLogRecord(logRecordPath(this.options.recordsDirectory, id));
    if (container.created) {
      const { removals, removeDelay } = this.options;
      if (failure !== undefined || container.removeAtOnce || removeDelay === 0) await removals.now(container);
      else removals.later(container, removeDelay);
    }
    if (failure !== undefined) container.end({ exit: undefined, ...failure });
  }

  private async observeEnd(container: DockerContainer): Promise<void> {
    try {
      await container.started;
    } catch {
      // It never ran, and its launch says why.
      return;
    }
    if (container.over) return;
    const termination = await this.termination(container);
    if (termination === undefined) return;
    await this.outputIn(container.name, container.logs?.finish());
    container.end(termination);
  }

  /** Undefined: it has not ended. */
  private async termination(container: DockerContainer): Promise<ContainerTermination | undefined> {
    const told = container.died?.exitCode;
    if (told !== undefined && !isUnclear(told)) {
      return terminationOf(container, { exitCode: told, oomKilled: false });
    }
    try {
      const facts = await this.options.engine.inspect(container.handle);
      if (facts.running && container.died === undefined) return undefined;
      return terminationOf(container, { ...facts, exitCode: container.died?.exitCode ?? facts.exitCode });
    } catch (error) {
      if (!isEngineError(error, "missing")) throw error;
      return { exit: undefined, message: "the Docker container was removed by somebody" };
    }
  }

  /** Waits until output is copied, but not for ever. */
  private async outputIn(name: string, copied: Promise<void> | undefined): Promise<void> {
    if (copied === undefined) return;
    const { clock, logger } = this.options;
    if (!(await inTime(clock, OUTPUT_PATIENCE, copied)))
      logger.warn({ container: name }, "the end of a container's output does not come");
  }

  /** Ends the container, however long the engine is away. */
  private async halt(container: DockerContainer): Promise<void> {
    const seconds = Math.ceil(this.options.stopTimeout / 1000);
    while (container.running && !this.stopped) {
      container.signalled = true;
      try {
        if (seconds > 0) await this.options.engine.stop(container.handle, seconds);
        else await this.options.engine.kill(container.handle, SIGKILL);
      } catch (error) {
        if (isEngineError(error, "unreachable")) {
          await this.nextReturn();
          continue;
        }
        if (!isEngineError(error, "missing") && !isEngineError(error, "conflict")) throw error;
      }
      await this.finish(container);
      if (container.over) return;
      await container.ended;
    }
  }

  private nextReturn(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}
