import type { Offer_Operation, WeightInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { QuotaConfig, QuotaRequest } from "../../proto/gen/mesos/v1/quota/quota.js";
import { extensionPoint } from "../plugin/extension-point.js";
import type { Leadership } from "./scheduler-service.js";

export interface OperatorOperation {
  readonly agentId: string;
  /** RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME or SHRINK_VOLUME, of resources that are allocated to nobody. */
  readonly operation: Offer_Operation;
  readonly principal: string | undefined;
}

/**
 * What operators may change, behind every edge (v0 endpoints, v1 API). Edges translate; all rules live here.
 *
 * Refusals are TepuiErrors whose kind gives the status and whose detail has Mesos's text: TEPUI_OPERATOR_REQUEST_INVALID (400),
 * TEPUI_OPERATOR_RESOURCES_IN_USE and TEPUI_OPERATOR_QUOTA_OVERCOMMITS (409), TEPUI_OPERATOR_NOT_LEADING (503).
 */
export interface OperatorService {
  leadership(): Leadership;
  /** Starts an operation on an agent's free resources; offers that stand in its way are rescinded. Returning means accepted (202). */
  operate(request: OperatorOperation): void;
  /** Of all roles that have one set, sorted by role. */
  weights(): readonly WeightInfo[];
  /** Resolves when they are durable. */
  updateWeights(weights: readonly WeightInfo[]): Promise<void>;
  /** Of all roles that have one, sorted by role. */
  quotas(): readonly QuotaConfig[];
  /** All or none; a config without guarantees and limits ends a quota. `force` skips the checks of consumption and capacity. */
  updateQuota(update: { readonly configs: readonly QuotaConfig[]; readonly force: boolean }): Promise<void>;
  /** The older form: a guarantee that is the limit too, for a role without quota. */
  setQuota(request: QuotaRequest): Promise<void>;
  removeQuota(role: string): Promise<void>;
  /** Ends a framework: its tasks are killed, its id is never used again. */
  teardown(frameworkId: string): void;
}

export const OperatorService = extensionPoint<OperatorService, "one">("tepui.operator-service", {
  version: "1.0",
  cardinality: "one",
});
