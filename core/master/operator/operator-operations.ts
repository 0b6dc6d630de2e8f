import { Offer_Operation_Type as OperationType } from "../../../proto/gen/mesos/v1/mesos.js";
import type { OperatorOperation } from "../../../sdk/contracts/operator-service.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import {
  applyConversions,
  conversionsOf,
  type ResourceConversion,
  Resources,
} from "../../../sdk/resources/index.js";
import type { Agent } from "../agents/agent.js";
import { DEFAULT_REFUSE_SECONDS } from "../constants.js";
import type { MasterContext } from "../context.js";
import type { Offers } from "../offers/offers.js";
import { readOperation } from "../operations/operation.js";
import type { Operations } from "../operations/operations.js";
import { validateOperation } from "../validation/operation.js";

/** Operations that operators request, on unused resources. */
export class OperatorOperations {
  constructor(
    private readonly context: MasterContext,
    private readonly offers: Offers,
    private readonly operations: Operations,
  ) {}

  operate({ agentId, operation, principal }: OperatorOperation): void {
    const agent = this.context.cluster.agents.get(agentId);
    if (agent === undefined) throw invalid("No agent found with specified ID");
    const read = readOperation(operation);
    if (!read.ok) throw invalid(read.error);
    const info = read.value;
    const problem = validateOperation(info, { agent, framework: undefined, principal });
    if (problem !== undefined) {
      const type = OperationType[info.type ?? OperationType.UNKNOWN];
      throw invalid(`Invalid ${type} operation on agent ${agent}: ${problem}`);
    }
    const conversions = conversionsOf(info);
    if (!conversions.ok)
      throw invalid(`Invalid ${OperationType[info.type ?? 0]} operation: ${conversions.error}`);
    const possible = applyConversions(agent.total, conversions.value);
    if (!possible.ok) throw inUse(possible.error);
    this.makeRoom(agent, conversions.value);
    const steps = conversions.value.map(({ consumed, converted }) => ({ consumed, converted }));
    if (!this.context.allocator.updateAvailable({ agentId, conversions: steps })) {
      const free = agent.total.subtract(agent.used.add(agent.offered).unallocate());
      throw inUse(`${free} does not contain ${Resources.sum(steps.map(({ consumed }) => consumed))}`);
    }
    const failed = this.operations.start(agent, info);
    if (failed !== undefined) throw inUse(failed);
  }

  /** Rescinds offers that contain some of the resources, until enough are free. */
  private makeRoom(agent: Agent, conversions: readonly ResourceConversion[]): void {
    let required = Resources.sum(conversions.map(({ consumed }) => consumed));
    let recovered = Resources.empty;
    for (const offer of [...agent.offers]) {
      const offered = offer.resources.unallocate();
      const rest = required.subtract(offered);
      if (rest.equals(required)) continue;
      required = rest;
      recovered = recovered.add(offered);
      this.offers.rescind(offer, { refuse_seconds: DEFAULT_REFUSE_SECONDS });
      if (applyConversions(recovered, conversions).ok) return;
    }
  }
}

const invalid = (detail: string): TepuiError => new TepuiError("TEPUI_OPERATOR_REQUEST_INVALID", { detail });

const inUse = (detail: string): TepuiError => new TepuiError("TEPUI_OPERATOR_RESOURCES_IN_USE", { detail });
