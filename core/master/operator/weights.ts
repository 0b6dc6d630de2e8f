import type { WeightInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { validateRole } from "../../../sdk/roles/index.js";
import type { MasterContext } from "../context.js";
import type { Offers } from "../offers/offers.js";
import { shortNumber } from "../validation/text.js";

/** Weights of roles. The registry decides; `--weights` only applies if the registry has none. */
export class Weights {
  private readonly byRole = new Map<string, number>();

  constructor(
    private readonly context: MasterContext,
    private readonly offers: Offers,
  ) {}

  /** Takes over the weights in the registry, or stores those of the flag there. */
  restore(stored: readonly WeightInfo[]): void {
    const { options, registry, allocator, logger } = this.context;
    for (const { role = "", weight = 1 } of stored) this.byRole.set(role, weight);
    if (stored.length === 0 && options.weights.size > 0) {
      for (const [role, weight] of options.weights) this.byRole.set(role, weight);
      registry
        .apply({ kind: "update-weights", weights: this.all() })
        .catch((err: unknown) =>
          logger.error({ err }, "Cannot write the weights of --weights to the registry"),
        );
    }
    if (this.byRole.size > 0) allocator.updateWeights(this.byRole);
  }

  get map(): ReadonlyMap<string, number> {
    return this.byRole;
  }

  all(): WeightInfo[] {
    return [...this.byRole.keys()].sort().map((role) => ({ role, weight: this.byRole.get(role) ?? 1 }));
  }

  async update(infos: readonly WeightInfo[]): Promise<void> {
    const weights = infos.map(({ role = "", weight }) => ({ role: role.trim(), weight: weight ?? 0 }));
    for (const { role, weight } of weights) {
      const problem = this.problemOf(role, weight);
      if (problem === undefined) continue;
      const detail = `Failed to validate update weights request JSON${problem}`;
      throw new TepuiError("TEPUI_OPERATOR_REQUEST_INVALID", { detail });
    }
    const { registry, allocator, cluster } = this.context;
    await registry.apply({ kind: "update-weights", weights });
    for (const { role, weight } of weights) this.byRole.set(role, weight);
    allocator.updateWeights(new Map(weights.map(({ role, weight }) => [role, weight])));
    // Earlier offers were based on the old shares.
    const frameworks = [...cluster.frameworks.values()];
    if (!weights.some(({ role }) => frameworks.some((one) => one.roles.includes(role)))) return;
    for (const agent of cluster.agents.values()) this.offers.rescindAllOf(agent);
  }

  private problemOf(role: string, weight: number): string | undefined {
    const wrong = validateRole(role);
    if (wrong !== undefined) return `: Invalid role '${role}': ${wrong}`;
    const { roles } = this.context.options;
    if (roles !== undefined && role !== "*" && !roles.has(role)) return `: Unknown role '${role}'`;
    return weight > 0 && Number.isFinite(weight)
      ? undefined
      : ` for role '${role}': Invalid weight '${shortNumber(weight)}': Weights must be positive`;
  }
}
