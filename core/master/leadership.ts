import { TepuiError } from "../../sdk/errors/index.js";
import { missingCapabilities } from "../../sdk/registry/index.js";
import type { Agent } from "./agents/agent.js";
import { AgentMessages } from "./agents/agent-messages.js";
import { AgentRegistration } from "./agents/agent-registration.js";
import { AgentReregistration } from "./agents/agent-reregistration.js";
import { AgentUpdates } from "./agents/agent-update.js";
import { Agents } from "./agents/agents.js";
import { Inbox } from "./agents/inbox.js";
import { Cluster } from "./cluster.js";
import { MASTER_ACTOR } from "./constants.js";
import type { LeadershipDeps, MasterContext } from "./context.js";
import { SchedulerDrivers } from "./drivers/scheduler-drivers.js";
import { Frameworks } from "./frameworks/frameworks.js";
import { SchedulerCalls } from "./frameworks/scheduler-calls.js";
import { Subscriptions } from "./frameworks/subscription.js";
import { Accepts } from "./offers/accept.js";
import { Launches } from "./offers/launch.js";
import { OfferCalls } from "./offers/offer-calls.js";
import { Offers } from "./offers/offers.js";
import { Operations } from "./operations/operations.js";
import { Draining } from "./operator/draining.js";
import { GoneAgents } from "./operator/gone-agents.js";
import { Maintenance } from "./operator/maintenance.js";
import { OperatorOperations } from "./operator/operator-operations.js";
import { Quotas } from "./operator/quotas.js";
import { Weights } from "./operator/weights.js";
import { Recovery } from "./recovery.js";
import { RegistryGc } from "./registry/registry-gc.js";
import { Ledger } from "./tasks/ledger.js";
import { Reconciliation } from "./tasks/reconcile.js";
import { StatusUpdates } from "./tasks/status-updates.js";
import { TaskCalls } from "./tasks/task-calls.js";

/**
 * One term of leadership: all state machines of the master, wired together. It starts with nothing but the registry and is discarded as a
 * whole when the leadership is lost, so that no stale state survives into another term.
 */
export class Leadership {
  readonly cluster: Cluster;
  readonly ledger: Ledger;
  readonly subscriptions: Subscriptions;
  readonly calls: SchedulerCalls;
  readonly weights: Weights;
  readonly quotas: Quotas;
  readonly operatorOperations: OperatorOperations;
  readonly frameworks: Frameworks;
  readonly draining: Draining;
  readonly goneAgents: GoneAgents;
  readonly maintenance: Maintenance;
  private readonly context: MasterContext;
  private readonly offers: Offers;
  private readonly agents: Agents;
  private readonly inbox: Inbox;
  private readonly recovery: Recovery;
  private gc: RegistryGc | undefined;
  private unbind: (() => void) | undefined;
  private stopped = false;
  /** The registry has been read: calls and messages are served. */
  recovered = false;

  constructor(deps: LeadershipDeps) {
    const { allocator, metrics, options, transport, watchers } = deps;
    this.cluster = new Cluster(options.maxCompletedFrameworks);
    const changed = (agent: Agent): void => this.draining.changed(agent);
    this.ledger = new Ledger({
      cluster: this.cluster,
      allocator,
      metrics,
      watchers,
      taskRemoved: changed,
    });
    const messages = new AgentMessages(transport);
    this.context = { ...deps, messages, cluster: this.cluster, ledger: this.ledger };
    const { context } = this;

    this.offers = new Offers(context);
    const operations = new Operations(context, changed);
    this.frameworks = new Frameworks(context, this.offers, operations);
    this.agents = new Agents(context, this.offers, operations);
    this.goneAgents = new GoneAgents(context, this.agents, operations);
    this.draining = new Draining(context, this.agents, this.goneAgents);
    this.maintenance = new Maintenance(context, this.offers, this.agents);
    this.weights = new Weights(context, this.offers);
    this.quotas = new Quotas(context, this.offers);
    this.operatorOperations = new OperatorOperations(context, this.offers, operations);
    this.recovery = new Recovery(context, this.agents, this);
    this.subscriptions = new Subscriptions(context, this.frameworks);
    const reconciliation = new Reconciliation(context);
    this.calls = new SchedulerCalls({
      context,
      frameworks: this.frameworks,
      subscriptions: this.subscriptions,
      accepts: new Accepts(context, this.offers, new Launches(context), operations),
      offerCalls: new OfferCalls(context, this.offers, this.frameworks),
      inverseOffers: this.offers.inverse,
      taskCalls: new TaskCalls(context, reconciliation),
      reconciliation,
      operations,
    });
    this.inbox = new Inbox({
      context,
      agents: this.agents,
      registration: new AgentRegistration(context, this.agents),
      reregistration: new AgentReregistration(context, this.agents, this),
      updates: new AgentUpdates(context, this.offers, {
        agents: this.agents,
        operations,
        draining: this.draining,
      }),
      statusUpdates: new StatusUpdates(context),
      operations,
      drivers: new SchedulerDrivers({
        context,
        frameworks: this.frameworks,
        subscriptions: this.subscriptions,
        calls: this.calls,
      }),
    });
  }

  /** Reads the registry, then starts serving. Rejects when the registry cannot be read. */
  async start(): Promise<void> {
    const { allocator, info, registry, transport } = this.context;
    const state = await registry.recover(info);
    if (this.stopped) return;
    const lacking = missingCapabilities(state.minimum_capabilities, info);
    if (lacking.length > 0)
      throw new TepuiError("TEPUI_REGISTRY_NEEDS_CAPABILITIES", { detail: lacking.join(", ") });
    allocator.start({
      offer: (offer) => this.offers.propose(offer),
      inverseOffer: (offer) => this.offers.inverse.propose(offer),
    });
    this.recovery.recover(state);
    this.gc = new RegistryGc(this.context);
    this.unbind = transport.receive(MASTER_ACTOR, (message) => this.inbox.receive(message));
    this.recovered = true;
  }

  /** Ends every connection and timer, and empties the allocator for the next term. */
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    const { allocator } = this.context;
    this.unbind?.();
    this.gc?.stop();
    this.recovery.stop();
    this.offers.stop();
    this.agents.stop();
    this.frameworks.stop();
    for (const id of this.cluster.frameworks.keys()) allocator.removeFramework(id);
    for (const id of this.cluster.agents.keys()) allocator.removeAgent(id);
    if (this.recovered) allocator.stop();
    for (const { metrics, info } of this.cluster.frameworks.values()) {
      metrics.remove();
      this.context.metrics.principals.remove(info.principal);
    }
    for (const { metrics } of this.cluster.completedFrameworks.values()) metrics.remove();
    this.recovered = false;
  }
}
