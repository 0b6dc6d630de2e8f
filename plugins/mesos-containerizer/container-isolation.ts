import type { ContainerStatus, ResourceStatistics } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Contribution, DeviceAccess } from "../../sdk/contracts/contribution.js";
import type { ContainerLimitation, ContainerUpdate, Isolator } from "../../sdk/contracts/isolator.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import { checkContribution, mergeContributions } from "./contributions.js";
import type { PendingOperations } from "./pending-operations.js";

export interface ContainerIsolationOptions {
  /** Name of the container. */
  readonly id: string;
  /** Those that have a part in it, in their order. */
  readonly isolators: readonly Isolator[];
  readonly pending: PendingOperations;
  readonly logger: Logger;
}

/** One container's isolators, as one. */
export class ContainerIsolation {
  readonly isolators: readonly Isolator[];
  private readonly id: string;
  private readonly pending: PendingOperations;
  private readonly logger: Logger;

  constructor({ id, isolators, pending, logger }: ContainerIsolationOptions) {
    this.id = id;
    this.pending = pending;
    this.isolators = isolators;
    this.logger = logger;
  }

  get names(): readonly string[] {
    return this.isolators.map(({ name }) => name);
  }

  /** Nobody has to do anything to its process before the command. */
  get immediate(): boolean {
    return this.isolators.every(({ isolate }) => isolate === undefined);
  }

  async prepare(request: ContainerRequest, signal: AbortSignal): Promise<Contribution> {
    const contributions: (Contribution | undefined)[] = [];
    for (const isolator of this.isolators) {
      if (isolator.prepare === undefined) continue;
      const work = async () => checkContribution(await isolator.prepare?.(request));
      const prepared = this.track(isolator, "prepare", work());
      contributions.push(await prepared.catch(blaming(isolator, "prepare")));
      signal.throwIfAborted();
    }
    return mergeContributions(contributions, request.image?.rootfs);
  }

  async isolate(process: { readonly pid: number }, plan: Contribution, signal: AbortSignal): Promise<void> {
    for (const isolator of this.isolators) {
      if (isolator.isolate === undefined) continue;
      const work = async () => isolator.isolate?.(this.id, process.pid, plan);
      const isolated = this.track(isolator, "isolate", work());
      await isolated.catch(blaming(isolator, "isolate"));
      signal.throwIfAborted();
    }
  }

  async update(to: ContainerUpdate): Promise<void> {
    const devices: DeviceAccess[] = [];
    let replanned = false;
    for (const isolator of this.isolators) {
      if (isolator.update === undefined) continue;
      const changed = await this.track(isolator, "update", isolator.update(this.id, to));
      if (changed === undefined) continue;
      replanned = true;
      devices.push(...(changed.devices ?? []));
    }
    if (!replanned) return;
    for (const isolator of this.isolators) await isolator.replan?.(this.id, { devices });
  }

  async usage(pid: number): Promise<Partial<ResourceStatistics>> {
    const parts = this.isolators.map((isolator) =>
      this.asked(isolator, "usage", async () => isolator.usage?.(this.id, pid)),
    );
    return Object.assign({}, ...(await Promise.all(parts)));
  }

  async status(): Promise<Partial<ContainerStatus>> {
    const status: Partial<ContainerStatus> = {};
    for (const isolator of this.isolators) {
      const { cgroup_info: cgroups, ...rest } =
        (await this.asked(isolator, "status", async () => isolator.status?.(this.id))) ?? {};
      Object.assign(status, rest, cgroups && { cgroup_info: { ...status.cgroup_info, ...cgroups } });
    }
    return status;
  }

  /** Tells of the first limit that is crossed before the signal. */
  watch(signal: AbortSignal, limited: (limitation: ContainerLimitation) => void): void {
    for (const isolator of this.isolators) {
      if (isolator.watch === undefined) continue;
      const watched = async () => isolator.watch!(this.id, signal);
      watched().then(
        (limitation) => {
          if (!signal.aborted) limited(limitation);
        },
        (error: unknown) => {
          if (!signal.aborted) this.warn(isolator, { error, text: "cannot watch limits" });
        },
      );
    }
  }

  /** The limit that ended the container, where one of the isolators sees that it was one. */
  async verdict(): Promise<ContainerLimitation | undefined> {
    for (const isolator of this.isolators) {
      if (isolator.verdict === undefined) continue;
      try {
        const limitation = await isolator.verdict(this.id);
        if (limitation !== undefined) return limitation;
      } catch (error) {
        this.warn(isolator, { error, text: "no verdict" });
      }
    }
    return undefined;
  }

  /** In reverse, as things were set up. False when something could not be removed. */
  async cleanup(): Promise<boolean> {
    let clean = true;
    for (const isolator of this.isolators.toReversed()) {
      try {
        if (isolator.cleanup !== undefined) await this.track(isolator, "cleanup", isolator.cleanup(this.id));
      } catch (error) {
        clean = false;
        this.warn(isolator, { error, text: "clean-up failed" });
      }
    }
    return clean;
  }

  /** What an isolator knows; one that cannot tell costs its own figures and nobody else's. */
  private async asked<T>(
    isolator: Isolator,
    what: "usage" | "status",
    question: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    try {
      return await this.track(isolator, what, question());
    } catch (error) {
      this.warn(isolator, { error, text: "an isolator cannot tell" });
      return undefined;
    }
  }

  private track<T>({ name }: Isolator, what: string, work: Promise<T>): Promise<T> {
    return this.pending.track({ operation: `${name}::${what}`, args: { containerId: this.id } }, work);
  }

  private warn({ name }: Isolator, { error, text }: { error: unknown; text: string }): void {
    this.logger.warn({ err: error, container: this.id, isolator: name }, text);
  }
}

/** Says which isolator it was. */
const blaming =
  ({ name }: Isolator, step: "prepare" | "isolate") =>
  (error: unknown): never => {
    throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", {
      detail: `isolator '${name}' failed to ${step} the container: ${messageOf(error)}`,
      cause: error,
    });
  };
