import { Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { QuotaConfig, QuotaRequest } from "../../../proto/gen/mesos/v1/quota/quota.js";
import type { RoleQuota } from "../../../sdk/contracts/allocator.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import {
  addQuantities,
  containsQuantities,
  convertResources,
  fromMilli,
  type Quantities,
  type Resources,
  subtractQuantities,
  validateResources,
} from "../../../sdk/resources/index.js";
import { isInSubtree } from "../../../sdk/roles/index.js";
import type { MasterContext } from "../context.js";
import type { OfferEntry } from "../offers/offer.js";
import type { Offers } from "../offers/offers.js";
import { limitsContain, quantitiesOf, validateQuotaConfig, validateQuotaInfo } from "../validation/quota.js";

const NONE: Quantities = new Map();

/** Quotas of roles: durable, checked against the cluster's resources, and passed to the allocator. */
export class Quotas {
  private readonly configs = new Map<string, QuotaConfig>();

  constructor(
    private readonly context: MasterContext,
    private readonly offers: Offers,
  ) {}

  /** Takes over the quotas in the registry. */
  restore(configs: readonly QuotaConfig[]): ReadonlyMap<string, RoleQuota> {
    for (const config of configs) this.configs.set(config.role ?? "", config);
    return new Map(Array.from(this.configs, ([role, config]) => [role, quotaOf(config)]));
  }

  all(): QuotaConfig[] {
    return [...this.configs.values()].sort((left, right) =>
      (left.role ?? "") < (right.role ?? "") ? -1 : 1,
    );
  }

  of(role: string): QuotaConfig | undefined {
    return this.configs.get(role);
  }

  async update(configs: readonly QuotaConfig[], force: boolean): Promise<void> {
    for (const config of configs) this.check(config);
    if (!force) {
      for (const config of configs) this.checkConsumption(config);
      const problem = this.overcommitment(configs);
      if (problem !== undefined) {
        throw invalid(
          `Invalid QuotaConfig: total quota guarantees ${problem} (use 'force' flag to bypass this check)`,
        );
      }
    }
    await this.store(configs);
    for (const config of configs) {
      this.rescindAboveLimits(config);
      this.rescindForGuarantees(config);
    }
  }

  private check(config: QuotaConfig): void {
    const role = config.role ?? "";
    if (!this.isKnownRole(role)) {
      throw invalid(`Invalid QuotaConfig: '${role}' is not on the roles whitelist`);
    }
    if (role.includes("/")) throw invalid(`Updating quota on nested role '${role}' is not supported yet`);
    const problem = validateQuotaConfig(config);
    if (problem !== undefined) throw invalid(`Invalid QuotaConfig: ${problem}`);
  }

  private isKnownRole(role: string): boolean {
    const { roles } = this.context.options;
    return roles === undefined || role === "*" || roles.has(role);
  }

  private checkConsumption(config: QuotaConfig): void {
    const role = config.role ?? "";
    const limits = quantitiesOf(config.limits);
    const consumed = this.consumed(role);
    if (limitsContain(limits, consumed)) return;
    throw invalid(
      `Invalid QuotaConfig: Role '${role}' is already consuming '${text(consumed)}'; this is more than the requested limits '${text(limits)}' (use 'force' flag to bypass this check)`,
    );
  }

  /** What is wrong if these configs raise the guarantees above the cluster's resources. */
  private overcommitment(configs: readonly QuotaConfig[]): string | undefined {
    const all = new Map(this.configs);
    for (const config of configs) all.set(config.role ?? "", config);
    let guaranteed = NONE;
    for (const { guarantees } of all.values())
      guaranteed = addQuantities(guaranteed, quantitiesOf(guarantees));
    let capacity = NONE;
    for (const { total } of this.context.cluster.agents.values()) {
      capacity = addQuantities(capacity, total.nonRevocable().quantities());
    }
    return containsQuantities(capacity, guaranteed)
      ? undefined
      : `'${text(guaranteed)}' exceed cluster capacity '${text(capacity)}'`;
  }

  async set(request: QuotaRequest): Promise<void> {
    const prefix = "Failed to validate set quota request:";
    const role = request.role ?? "";
    const bad = validateResources(request.guarantee);
    if (bad !== undefined) throw invalid(`${prefix} QuotaInfo with invalid resource: ${bad}`);
    const guarantee = convertResources(request.guarantee, "post-refinement");
    const problem = validateQuotaInfo({ role: request.role, guarantee });
    if (problem !== undefined) throw invalid(`${prefix} ${problem}`);
    if (!this.isKnownRole(role)) throw invalid(`${prefix} Unknown role '${role}'`);
    if (this.configs.has(role)) {
      throw invalid(`${prefix} Cannot set quota for role '${role}' which already has quota`);
    }
    if (role.includes("/")) throw invalid(`Setting quota on nested role '${role}' is not supported yet`);
    const amounts = Object.fromEntries(
      guarantee.map(({ name = "", scalar }) => [name, { value: scalar?.value ?? 0 }]),
    );
    const config: QuotaConfig = { role, guarantees: amounts, limits: { ...amounts } };
    const excess = request.force === true ? undefined : this.overcommitment([config]);
    if (excess !== undefined) {
      throw new TepuiError("TEPUI_OPERATOR_QUOTA_OVERCOMMITS", {
        detail: `Quota guarantees overcommit the cluster (use 'force' to bypass this check): Total quota guarantees ${excess}`,
      });
    }
    await this.store([config]);
    this.rescindForGuarantees(config);
  }

  async remove(role: string): Promise<void> {
    if (!this.isKnownRole(role)) {
      throw invalid(
        `Failed to validate remove quota request for path '/master/quota/${role}': Unknown role '${role}'`,
      );
    }
    if (!this.configs.has(role)) {
      throw invalid(
        `Failed to remove quota for path '/master/quota/${role}': Role '${role}' has no quota set`,
      );
    }
    await this.store([{ role, guarantees: {}, limits: {} }]);
  }

  private async store(configs: readonly QuotaConfig[]): Promise<void> {
    const { registry, allocator } = this.context;
    await registry.apply({ kind: "update-quotas", configs });
    for (const config of configs) {
      const role = config.role ?? "";
      const quota = quotaOf(config);
      if (Object.keys(config.guarantees).length + Object.keys(config.limits).length === 0) {
        this.configs.delete(role);
      } else this.configs.set(role, config);
      allocator.updateQuota(role, quota);
    }
  }

  /** What counts towards the limits: used resources, and reserved ones that are unused. */
  consumed(role: string): Quantities {
    let consumed = NONE;
    for (const { total, usedByFramework } of this.context.cluster.agents.values()) {
      let usedReserved = NONE;
      for (const used of usedByFramework.values()) {
        consumed = addQuantities(consumed, amounts(used.allocatedToSubtree(role)));
        usedReserved = addQuantities(usedReserved, amounts(used.reservedToSubtree(role)));
      }
      consumed = addQuantities(
        consumed,
        subtractQuantities(amounts(total.reservedToSubtree(role)), usedReserved),
      );
    }
    return consumed;
  }

  private isOffered(role: string): (offer: OfferEntry) => boolean {
    return (offer) => isInSubtree(offer.role, role);
  }

  private offered(role: string): Quantities {
    let offered = NONE;
    const counts = this.isOffered(role);
    for (const offer of this.context.cluster.offers.values()) {
      if (counts(offer)) offered = addQuantities(offered, amounts(offer.resources));
    }
    return offered;
  }

  /** Rescinds offers that would exceed the role's limits if they were accepted. */
  private rescindAboveLimits({ role = "", limits }: QuotaConfig): void {
    const bounds = quantitiesOf(limits);
    let held = addQuantities(this.consumed(role), this.offered(role));
    const counts = this.isOffered(role);
    for (const offer of [...this.context.cluster.offers.values()]) {
      if (limitsContain(bounds, held)) return;
      if (!counts(offer)) continue;
      held = subtractQuantities(held, amounts(offer.resources));
      this.offers.rescind(offer);
    }
  }

  /** Rescinds offers of other roles until the role's guarantees can be met. */
  private rescindForGuarantees({ role = "", guarantees }: QuotaConfig): void {
    const wanted = quantitiesOf(guarantees);
    let held = addQuantities(this.consumed(role), this.offered(role));
    const counts = this.isOffered(role);
    for (const agent of this.context.cluster.agents.values()) {
      for (const offer of [...agent.offers]) {
        if (containsQuantities(held, wanted)) return;
        if (counts(offer)) continue;
        held = addQuantities(held, amounts(offer.resources));
        this.offers.rescind(offer);
      }
    }
  }
}

const quotaOf = ({ guarantees, limits }: QuotaConfig): RoleQuota => ({
  guarantees: new Map([...quantitiesOf(guarantees)].filter(([, milli]) => milli > 0)),
  limits: quantitiesOf(limits),
});

/** Ranges and sets count their elements. */
function amounts(resources: Resources): Quantities {
  const sums = new Map<string, number>();
  for (const { kind, quantity } of resources) {
    if (kind.type === Value_Type.TEXT) continue;
    sums.set(kind.name, (sums.get(kind.name) ?? 0) + quantity);
  }
  return sums;
}

const text = (quantities: Quantities): string =>
  quantities.size === 0
    ? "{}"
    : [...quantities]
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .map(([name, milli]) => `${name}:${fromMilli(milli)}`)
        .join("; ");

const invalid = (detail: string): TepuiError => new TepuiError("TEPUI_OPERATOR_REQUEST_INVALID", { detail });
