import { rm } from "node:fs/promises";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { LaunchedProcess, Launcher, LaunchPlan } from "../../../sdk/contracts/launcher.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { isAlive, type ProcessStat, processTree, readProcessStat } from "../../../sdk/proc/index.js";
import { type ContainerRecord, exitOf, readContainerRecord, writeAdopted } from "./exit-record.js";
import { isSame, sendAll } from "./processes.js";
import { encodeLaunch, type LaunchCommand } from "./protocol.js";
import { type ContainerEvent, type HelperCommand, ShimHost } from "./shim-host.js";
import { type Cage, type Tracked, tracked } from "./tracked.js";

/** How often containers are looked at whose shim cannot tell us about them (after a restart), in milliseconds. */
const WATCH_INTERVAL_MS = 200;
/** How often a container that is being destroyed is looked at, in milliseconds. */
const DESTROY_INTERVAL_MS = 20;
const ENDED_EARLY = "the container's shim ended early";
const { SIGCONT, SIGKILL } = constants.signals;
/** How long a shim may take to end a container by itself before that is done without it, in milliseconds. */
const SHIM_PATIENCE_MS = 1000;

export interface ShimLauncherOptions {
  /** As in `--launcher`. */
  readonly name: string;
  readonly helpers: readonly HelperCommand[];
  readonly logger: Logger;
  /** What to tell the helper; throws for what this launcher cannot give. */
  readonly command: (plan: LaunchPlan) => LaunchCommand;
  /** The control group of a container, or of such a path. Absent: containers have none. */
  readonly cage?: (of: { readonly containerId: string } | { readonly path: string }) => Cage;
  /** How long to go on ending a container, in milliseconds. Absent: for ever. */
  readonly destroyTimeoutMs?: number;
}

/** Runs containers as process trees, each under a shim that outlives the agent. */
export class ShimLauncher implements Launcher {
  readonly name: string;
  private readonly host: ShimHost;
  private readonly containers = new Map<string, Tracked>();
  private readonly logger: Logger;

  constructor(private readonly options: ShimLauncherOptions) {
    this.name = options.name;
    this.logger = options.logger;
    this.host = new ShimHost({
      helpers: options.helpers,
      logger: options.logger,
      event: (event) => this.handle(event),
      lost: () => this.watchAll(),
    });
  }

  /** Starts the helper. Gives what keeps that from namespaces and mounts; empty when nothing does. */
  async start(): Promise<string> {
    await this.host.start();
    return this.host.lack;
  }

  stop(): Promise<void> {
    return this.host.stop();
  }

  async launch(plan: LaunchPlan): Promise<LaunchedProcess> {
    const frame = encodeLaunch(this.options.command(plan));
    const container = this.track(plan.containerId, plan.record);
    container.cage = this.options.cage?.(plan);
    try {
      await this.host.launch(frame);
    } catch (error) {
      // No helper heard of it, so none will tell its end.
      this.finish(container);
      throw error;
    }
    const pid = await container.prepared.promise;
    return {
      pid,
      go: async () => {
        if (plan.immediate !== true) await this.host.go(plan.containerId);
        await container.running.promise;
      },
      exited: container.exited.promise,
    };
  }

  async reattach(containerId: string, path: string): Promise<LaunchedProcess | undefined> {
    const record = await readContainerRecord(path);
    if (record === undefined) return undefined;
    const cage = record.group === undefined ? undefined : this.options.cage?.({ path: record.group });
    if (record.shim === undefined || record.failure !== undefined) {
      // The shim ended before anything could be known of the container; or the agent, before it could let the command go, or hear why not.
      if (cage !== undefined) await this.endCage(cage);
      // It may be launched again under its name.
      await rm(path, { force: true });
      return undefined;
    }
    const container = this.track(containerId, path);
    container.cage = cage;
    container.shim = record.shim;
    container.prepared.resolve(record.shim.pid);
    container.running.resolve();
    void this.watch(container);
    return { pid: record.shim.pid, go: async () => {}, exited: container.exited.promise };
  }

  async adopt(containerId: string, record: string, pid: number): Promise<LaunchedProcess | undefined> {
    const stat = readProcessStat(pid);
    if (!isAlive(stat)) return undefined;
    const cage = this.options.cage?.({ containerId });
    const caged = cage?.exists() === true && cage.processes({ below: true }).includes(pid);
    await writeAdopted(record, { pid, start: stat.startTicks, group: caged ? cage.path : undefined });
    return this.reattach(containerId, record);
  }

  async signal(containerId: string, signal: number): Promise<boolean> {
    const container = this.containers.get(containerId);
    if (container === undefined) return false;
    const sent = sendAll(await this.processes(container), signal);
    if (signal === SIGKILL) wakeShim(container);
    return sent;
  }

  async destroy(containerId: string): Promise<void> {
    const container = this.containers.get(containerId);
    if (container === undefined) return;
    // A container that is being launched first has to exist; one that fails to launch is gone.
    while (container.shim === undefined && !container.prepared.settled && !container.isGone) {
      await this.pause(container, SHIM_PATIENCE_MS, container.prepared.promise);
      // Its shim may be one that cannot tell any more.
      if (!container.prepared.settled) await this.findRecorded(container);
    }
    await this.end(container);
    if (!container.isGone) {
      // Its end was seen before the helper told it, who is not listened to any more.
      await this.readRecord(container);
      this.finish(container);
    }
    this.containers.delete(containerId);
  }

  async forget(record: string): Promise<void> {
    await this.host.clear(record);
  }

  private async end(container: Tracked): Promise<void> {
    const { destroyTimeoutMs } = this.options;
    const deadline = destroyTimeoutMs === undefined ? Number.POSITIVE_INFINITY : now() + destroyTimeoutMs;
    const { shim, cage } = container;
    if (shim?.dedicated === true && isSame(shim.shimPid, shim.shimStart)) {
      // A shim ends all the rest by itself after the end of its command; nothing has to be looked for.
      if (cage !== undefined && isSame(shim.pid, shim.start)) sendAll([{ pid: shim.pid }], SIGKILL);
      const patience =
        cage !== undefined ? SHIM_PATIENCE_MS : container.exited.settled ? DESTROY_INTERVAL_MS : 0;
      const until = Math.min(now() + patience, deadline);
      // One that has ended leaves a group that holds those of containers within it.
      while (now() < until && isSame(shim.shimPid, shim.shimStart) && !(await this.isOver(container)))
        await this.pause(container, DESTROY_INTERVAL_MS);
    }
    while (!(await this.isOver(container))) {
      if (now() > deadline) {
        throw new TepuiError("TEPUI_CONTAINER_DESTROY_FAILED", {
          detail: `processes of container '${container.id}' are left: ${(await this.processes(container)).map(({ pid }) => pid).join(", ")}`,
        });
      }
      sendAll(await this.processes(container), SIGKILL);
      wakeShim(container);
      if (cage?.exists() === true) await this.endCage(cage, deadline - now());
      else await this.pause(container, DESTROY_INTERVAL_MS);
    }
  }

  private async endCage(cage: Cage, left = this.options.destroyTimeoutMs ?? 60_000): Promise<void> {
    const patience = { timeoutMs: Math.min(left, 60_000) };
    await cage.kill(patience);
    await cage.destroy(patience);
  }

  /** Live processes of the container; the shim is not one of them. */
  private async processes({ shim, seen, cage }: Tracked): Promise<{ readonly pid: number }[]> {
    if (cage !== undefined) {
      const pids = new Set(cage.processes({ below: true }));
      if (shim !== undefined && isSame(shim.shimPid, shim.shimStart)) {
        for (const { pid } of await processTree(shim.shimPid)) pids.add(pid);
        // One that was adopted has none.
        if (shim.shimPid !== shim.pid) pids.delete(shim.shimPid);
      }
      return [...pids].map((pid) => ({ pid }));
    }
    if (shim === undefined) return [];
    if (shim.dedicated && isSame(shim.shimPid, shim.shimStart)) {
      return (await processTree(shim.shimPid)).filter(({ pid }) => pid !== shim.shimPid);
    }
    const roots = isSame(shim.pid, shim.start) ? [shim.pid] : [];
    for (const [pid, start] of seen) if (isSame(pid, start)) roots.push(pid);
    const found = new Map<number, ProcessStat>();
    for (const root of roots) {
      for (const stat of await processTree(root, { groupsAndSessions: true })) found.set(stat.pid, stat);
    }
    for (const { pid, startTicks } of found.values()) seen.set(pid, startTicks);
    return [...found.values()];
  }

  /** Whether nothing is left: told by the helper, or, as that may have ended, seen. */
  private async isOver(container: Tracked): Promise<boolean> {
    const { shim, isGone, cage } = container;
    if (cage !== undefined) {
      if (cage.exists()) return false;
      return (
        isGone ||
        (shim !== undefined && !isSame(shim.shimPid, shim.shimStart) && !isSame(shim.pid, shim.start))
      );
    }
    if (isGone && shim?.dedicated !== false) return true;
    if (shim === undefined || (!isGone && isSame(shim.shimPid, shim.shimStart))) return false;
    return (await this.processes(container)).length === 0;
  }

  /** Until the container is gone, for a moment, or, where that is told, until something else. */
  private async pause(container: Tracked, milliseconds: number, or?: Promise<unknown>): Promise<void> {
    const stop = new AbortController();
    const nap = sleep(milliseconds, undefined, { signal: stop.signal });
    const moment = Promise.race(or === undefined ? [nap] : [nap, or]).catch(() => undefined);
    await (container.isGone ? moment : Promise.race([container.gone.promise, moment]));
    stop.abort();
  }

  /** Takes from its record what nobody has told of a container: a command may end or stop its own shim, or the helper be ended. */
  private async findRecorded(container: Tracked): Promise<void> {
    const record = await this.recordOf(container);
    container.shim ??= record?.shim;
  }

  /** Nobody will tell any more of a container that was being launched: what has come to be of it is ended. */
  private async giveUp(container: Tracked, why: string): Promise<void> {
    await this.findRecorded(container);
    try {
      if (container.shim !== undefined) await this.end(container);
    } catch (error) {
      this.logger.error(
        { err: error, container: container.id },
        "what is left of a container cannot be ended",
      );
    }
    this.fail(container, why);
    this.finish(container);
  }

  private track(id: string, record: string): Tracked {
    if (this.containers.has(id)) {
      throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail: `container '${id}' exists already` });
    }
    const container = tracked(id, record);
    this.containers.set(id, container);
    return container;
  }

  private handle(event: ContainerEvent): void {
    const container = this.containers.get(event.id);
    if (container === undefined) return;
    switch (event.type) {
      case "prepared":
        container.shim = {
          dedicated: this.host.reapsOrphans,
          shimPid: event.shimPid,
          shimStart: event.shimStart,
          pid: event.pid,
          start: event.start,
        };
        container.prepared.resolve(event.pid);
        break;
      case "running":
        container.running.resolve();
        break;
      case "failed":
        this.fail(container, event.message);
        break;
      case "exited":
        container.exited.resolve(exitOf(event.status));
        break;
      case "gone":
        // A shim that was killed could not record an end; what it left is found by looking.
        if (container.exited.settled) this.finish(container);
        else if (container.shim === undefined) void this.giveUp(container, ENDED_EARLY);
        else void this.watch(container);
        break;
    }
  }

  private fail(container: Tracked, message: string): void {
    const error = new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail: message });
    container.prepared.reject(error);
    container.running.reject(error);
    container.exited.resolve(undefined);
    // Refused before there was a process.
    if (container.shim === undefined && !container.isGone) this.finish(container);
  }

  private finish(container: Tracked): void {
    container.isGone = true;
    if (!container.prepared.settled || !container.running.settled) {
      this.fail(container, ENDED_EARLY);
    }
    container.exited.resolve(undefined);
    container.gone.resolve();
  }

  private watchAll(): void {
    for (const container of this.containers.values()) {
      if (container.shim !== undefined) void this.watch(container);
      else void this.giveUp(container, "the launcher's helper ended");
    }
  }

  /** Follows a container by its record and its processes, until nothing of it is left. */
  private async watch(container: Tracked): Promise<void> {
    if (container.watched) return;
    container.watched = true;
    const { shim } = container;
    while (!container.isGone && shim !== undefined) {
      // In this order: a shim records the end before it goes.
      const shimAlive = isSame(shim.shimPid, shim.shimStart);
      const alive = isSame(shim.pid, shim.start);
      await this.readRecord(container);
      if (!alive && (!shimAlive || !shim.dedicated)) return this.finish(container);
      await sleep(WATCH_INTERVAL_MS, undefined, { ref: false });
    }
  }

  /** How its command ended, where the shim has written that down. */
  private async readRecord(container: Tracked): Promise<void> {
    const record = await this.recordOf(container);
    if (record?.exit !== undefined) container.exited.resolve(record.exit);
    if (record?.failure !== undefined) this.fail(container, record.failure);
  }

  private async recordOf(container: Tracked): Promise<ContainerRecord | undefined> {
    try {
      return await readContainerRecord(container.record);
    } catch (error) {
      this.logger.warn({ err: error, container: container.id }, "cannot read the container's record");
      return undefined;
    }
  }
}

/** One that the container stopped has to see the end. */
function wakeShim({ shim }: Tracked): void {
  if (shim !== undefined && isSame(shim.shimPid, shim.shimStart)) sendAll([{ pid: shim.shimPid }], SIGCONT);
}

const now = (): number => performance.now();
