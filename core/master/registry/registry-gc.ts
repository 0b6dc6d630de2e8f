import type { TimeInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Timer } from "../../../sdk/contracts/clock.js";
import { durationToNs } from "../../../sdk/values/index.js";
import type { MasterContext } from "../context.js";
import { timeInfo } from "../tasks/status.js";

/** Forgets agents that have been unreachable or gone for too long, and the oldest ones if there are too many. */
export class RegistryGc {
  private readonly timer: Timer;

  constructor(private readonly context: MasterContext) {
    const { clock, options } = context;
    this.timer = clock.setInterval(() => void this.collect(), options.registryGcInterval);
  }

  stop(): void {
    this.timer.cancel();
  }

  private async collect(): Promise<void> {
    const { cluster, logger, registry } = this.context;
    const unreachable = this.outdated(cluster.unreachableAgents);
    const gone = this.outdated(cluster.goneAgents);
    if (unreachable.length === 0 && gone.length === 0) return;
    try {
      const ids = (values: readonly string[]) => values.map((value) => ({ value }));
      await registry.apply({ kind: "prune", unreachable: ids(unreachable), gone: ids(gone) });
    } catch (err) {
      logger.error({ err }, "Cannot prune the registry; trying again later");
      return;
    }
    for (const id of unreachable) {
      // An agent that came back while this was being written keeps what an operator wants of it.
      if (!cluster.unreachableAgents.delete(id)) continue;
      cluster.draining.delete(id);
      cluster.deactivatedAgents.delete(id);
      cluster.forgetUnreachableTasks(id);
    }
    for (const id of gone) cluster.goneAgents.delete(id);
    logger.info({ unreachable: unreachable.length, gone: gone.length }, "Pruned the registry");
  }

  private outdated(agents: ReadonlyMap<string, TimeInfo>): string[] {
    const { clock, options } = this.context;
    const now = timeInfo(clock.now()).nanoseconds ?? 0n;
    const maxAge = durationToNs(options.registryMaxAgentAge);
    const outdated: string[] = [];
    for (const [id, { nanoseconds = 0n }] of agents) {
      const tooMany = agents.size - outdated.length > options.registryMaxAgentCount;
      if (tooMany || now - nanoseconds > maxAge) outdated.push(id);
    }
    return outdated;
  }
}
