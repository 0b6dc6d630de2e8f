import { readdir } from "node:fs/promises";
import { basename } from "node:path";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { ContainerRequest, RecoverableContainer } from "../../sdk/contracts/containerizer.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { DockerContainer, ID_LABEL, REMOVE_LABEL } from "./container.js";
import type { Engine, ListedContainer } from "./engine.js";
import { EngineError, isEngineError } from "./engine-error.js";
import { LogCopy, type LogCopyOptions } from "./log-copy.js";
import { logRecordPath, readLogRecord, removeLogRecord } from "./log-record.js";
import type { Removals } from "./removals.js";
import { amountsOf } from "./resource-settings.js";

/** Containers that are looked at side by side: the engine has other things to do. */
const WIDTH = 16;

export interface RecoveryPolicy {
  /** Milliseconds until a container that is over is removed. */
  readonly removeDelay: number;
  /** Milliseconds between SIGTERM and SIGKILL when a container is destroyed. */
  readonly stopTimeout: number;
  /** Whether containers that nobody knows are ended; otherwise it is only said that they would be. */
  readonly killOrphans: boolean;
}

export interface RecoveryOptions extends RecoveryPolicy {
  readonly engine: Engine;
  readonly removals: Removals;
  /** What this agent's containers bear, `key=value`. */
  readonly label: string;
  readonly recordsDirectory: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Takes up the containers of an earlier run of this agent; nobody else's are touched. */
export class Recovery {
  constructor(private readonly options: RecoveryOptions) {}

  /** Those of the given containers that the engine has, running or over. Rejects when it cannot be asked. */
  async run(containers: readonly RecoverableContainer[]): Promise<DockerContainer[]> {
    const { engine, label, recordsDirectory, logger } = this.options;
    const known = new Map(containers.map(({ request }) => [request.containerId.value!, request]));
    const found: DockerContainer[] = [];
    const listed = await engine.list(label);
    await eachOf(listed, async (one) => {
      const request = known.get(one.labels[ID_LABEL] ?? "");
      try {
        // One that never ran cannot be taken up: its launch was cut off.
        if (request === undefined || one.state === "created") await this.sweep(one);
        else found.push(await this.adopt(request, one.handle));
      } catch (error) {
        if (isEngineError(error, "unreachable")) throw error;
        logger.error({ err: error, container: one.name }, "a Docker container could not be taken up");
      }
    });
    const kept = new Set(found.map(({ id }) => basename(id)));
    const records = (await readdir(recordsDirectory)).filter((name) => !kept.has(name));
    await Promise.all(records.map((name) => removeLogRecord(logRecordPath(recordsDirectory, name))));
    return found;
  }

  private async adopt(request: ContainerRequest, handle: string): Promise<DockerContainer> {
    const { engine, recordsDirectory, clock, logger } = this.options;
    const container = new DockerContainer(request, amountsOf(request));
    const { id, name } = container;
    const facts = await engine.inspect(handle);
    Object.assign(container, { handle, facts, created: true, running: true, settings: facts.settings });
    container.removeAtOnce = facts.labels[REMOVE_LABEL] !== undefined;
    logger.info({ container: id, pid: facts.pid }, "found a Docker container of an earlier run");
    await this.resumeOutput(container, {
      engine,
      name,
      handle: () => handle,
      tty: facts.tty,
      readable: facts.logDriver !== "none",
      record: logRecordPath(recordsDirectory, id),
      clock,
      logger,
    });
    return container;
  }

  /** A container is worth following even without its output. */
  private async resumeOutput(container: DockerContainer, options: LogCopyOptions): Promise<void> {
    try {
      const record = await readLogRecord(options.record);
      if (record === undefined) throw new Error(`${options.record} is missing`);
      const logs = await LogCopy.resume(options, record);
      container.logs = logs;
      if (options.readable || container.facts?.running === true) await logs.follow();
    } catch (error) {
      this.options.logger.error(
        { err: error, container: container.name },
        "the output of a container is not copied",
      );
    }
  }

  /** A container that nobody knows: when it is over, it waited for its removal; when it runs, it is an orphan. */
  private async sweep(container: ListedContainer): Promise<void> {
    const { handle, name, state, labels } = container;
    const { engine, removals, killOrphans, removeDelay, stopTimeout, clock, logger } = this.options;
    if (state === "exited" || state === "dead") {
      if (labels[REMOVE_LABEL] !== undefined) return removals.now(container);
      const { finishedAt } = await engine.inspect(handle);
      // By the wall clock, which may have been set meanwhile.
      const left = Math.max(0, finishedAt + removeDelay - clock.now());
      removals.later(container, Math.min(removeDelay, left));
      return;
    }
    if (!killOrphans) {
      logger.warn(
        { container: name, state },
        "a Docker container that nobody knows would be ended, but docker_kill_orphans is off",
      );
      return;
    }
    logger.warn({ container: name, state }, "ending a Docker container that nobody knows");
    if (state === "running" && stopTimeout > 0) {
      await engine.stop(handle, Math.ceil(stopTimeout / 1000)).catch((error: unknown) => {
        // It is removed by force anyhow.
        if (!(error instanceof EngineError)) throw error;
      });
    }
    await removals.now(container);
  }
}

async function eachOf<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) await act(item);
  };
  await Promise.all(Array.from({ length: WIDTH }, worker));
}
