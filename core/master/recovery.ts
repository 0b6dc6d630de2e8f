import type { Registry as RegistryState } from "../../proto/gen/mesos/internal/registry.js";
import type { AgentInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { QuotaConfig } from "../../proto/gen/mesos/v1/quota/quota.js";
import type { Timer } from "../../sdk/contracts/clock.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { toPostRefinement } from "../../sdk/resources/index.js";
import { formatDuration, formatPercent } from "../../sdk/values/index.js";
import type { Agents } from "./agents/agents.js";
import type { MasterContext } from "./context.js";
import type { Quotas } from "./operator/quotas.js";
import type { Weights } from "./operator/weights.js";

/** Includes quotas written by an older master, in which the guarantee is also the limit. */
function quotaConfigsOf({ quota_configs: configs, quotas }: RegistryState): QuotaConfig[] {
  const old = quotas.map(({ info }): QuotaConfig => {
    const amounts = Object.fromEntries(
      (info?.guarantee ?? []).map(({ name = "", scalar }) => [name, { value: scalar?.value ?? 0 }]),
    );
    return { role: info?.role, guarantees: amounts, limits: { ...amounts } };
  });
  return [...old, ...configs];
}

/** What a new leader takes over from the registry, and how long it waits for the agents in it. */
export class Recovery {
  private timer: Timer | undefined;
  private expected = 0;

  constructor(
    private readonly context: MasterContext,
    private readonly agents: Agents,
    private readonly settings: { readonly weights: Weights; readonly quotas: Quotas },
  ) {}

  recover(state: RegistryState): void {
    const { allocator, clock, cluster, logger, options } = this.context;
    cluster.machines.restore(state);
    for (const { info, deactivated, drain_info: drain } of state.slaves?.slaves ?? []) {
      const id = info?.id?.value;
      if (info === undefined || id === undefined) continue;
      // The registry keeps the old format, so that older masters can read it.
      cluster.recoveredAgents.set(id, {
        ...info,
        resources: toPostRefinement(info.resources),
      });
      if (deactivated) cluster.deactivatedAgents.add(id);
      if (drain !== undefined) cluster.draining.set(id, drain);
    }
    for (const { id, timestamp, deactivated, drain_info: drain } of state.unreachable?.slaves ?? []) {
      if (id?.value === undefined || timestamp === undefined) continue;
      cluster.unreachableAgents.set(id.value, timestamp);
      if (deactivated) cluster.deactivatedAgents.add(id.value);
      if (drain !== undefined) cluster.draining.set(id.value, drain);
    }
    for (const { id, timestamp } of state.gone?.slaves ?? []) {
      if (id?.value !== undefined && timestamp !== undefined) cluster.goneAgents.set(id.value, timestamp);
    }
    this.settings.weights.restore(state.weights.map(({ info }) => info ?? {}));
    const quotas = this.settings.quotas.restore(quotaConfigsOf(state));
    allocator.recoverCluster({ expectedAgents: cluster.recoveredAgents.size, quotas });

    this.expected = cluster.recoveredAgents.size;
    this.timer = clock.setTimeout(() => this.giveUpMissing(), options.agentReregisterTimeout);
    logger.info(
      { agents: this.expected, unreachable: cluster.unreachableAgents.size },
      "Recovered from the registry; waiting for its agents to re-register",
    );
  }

  stop(): void {
    this.timer?.cancel();
  }

  /**
   * Agents that have not come back are marked unreachable now. If there are more than the operator allows, something else is wrong: as in
   * Mesos, the master then exits, and no agent is marked.
   */
  private giveUpMissing(): void {
    const { cluster, metrics, options, unfit } = this.context;
    const missing = [...cluster.recoveredAgents.values()];
    if (missing.length === 0) return;
    const timeout = formatDuration(options.agentReregisterTimeout);
    if (missing.length / this.expected > options.recoveryAgentRemovalLimit) {
      const limit = formatPercent(options.recoveryAgentRemovalLimit);
      const detail = `${missing.length} of ${this.expected} within ${timeout}, and the limit is ${limit}`;
      unfit(new TepuiError("TEPUI_RECOVERY_AGENTS_MISSING", { detail }));
      return;
    }
    for (const info of missing) {
      metrics.counters.slave_unreachable_scheduled.inc();
      this.agents.limiter.acquire(() => void this.giveUp(info, timeout));
    }
  }

  /** Unless it has come back in the meantime. */
  private async giveUp(info: AgentInfo, timeout: string): Promise<void> {
    const { cluster, metrics } = this.context;
    const why = `did not reregister within ${timeout} after master failover`;
    const missing = cluster.recoveredAgents.has(info.id?.value ?? "");
    const marked = missing && (await this.agents.markUnreachable(info, why));
    metrics.counters[marked ? "slave_unreachable_completed" : "slave_unreachable_canceled"].inc();
  }
}
