import type { ClusterStatus, Schedule } from "../../proto/gen/mesos/v1/maintenance/maintenance.js";
import type { MachineID, MasterInfo, WeightInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { QuotaConfig, QuotaRequest } from "../../proto/gen/mesos/v1/quota/quota.js";
import { type Call, Call_Type } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { Allocator } from "../../sdk/contracts/allocator.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Election, Tenure } from "../../sdk/contracts/election.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { MasterView } from "../../sdk/contracts/master-view.js";
import type { MessageTransport } from "../../sdk/contracts/message-transport.js";
import type { Metrics } from "../../sdk/contracts/metrics.js";
import type { AgentDrain, OperatorOperation, OperatorService } from "../../sdk/contracts/operator-service.js";
import type { Random } from "../../sdk/contracts/random.js";
import type { Registry } from "../../sdk/contracts/registry.js";
import type {
  Leadership as LeadershipRecord,
  SchedulerRequest,
  SchedulerService,
  SchedulerSession,
  SchedulerSubscription,
} from "../../sdk/contracts/scheduler-service.js";
import { isTepuiError, TepuiError } from "../../sdk/errors/index.js";
import { Ids } from "./ids.js";
import { Leadership } from "./leadership.js";
import { regionConflict } from "./master-info.js";
import { publishGauges } from "./metrics/gauges.js";
import { type CounterName, MasterMetrics } from "./metrics/metrics.js";
import type { MasterOptions } from "./options.js";
import { GuardedRegistry } from "./registry/guarded-registry.js";
import { FOR_NOW, TenuredConnection, TenuredTransport } from "./tenure.js";
import { invalidCall, validateCall } from "./validation/call.js";
import { ClusterView } from "./view.js";
import { Watchers } from "./watchers.js";

export interface MasterDeps {
  readonly options: MasterOptions;
  /** Display name of the cluster. */
  readonly clusterName: string | undefined;
  /** Flag name -> value, given by the operator or Mesos's default. */
  readonly flags: ReadonlyMap<string, string>;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly allocator: Allocator;
  readonly registry: Registry;
  readonly election: Election;
  /** This master cannot lead or stand by: the daemon should exit and be restarted. Called after it has stepped down. */
  readonly failed?: () => void;
  readonly transport: MessageTransport;
}

/** Calls that are counted by their own metric when their form is invalid. */
const INVALID: { readonly [type: number]: CounterName } = {
  [Call_Type.ACKNOWLEDGE]: "invalid_status_update_acknowledgements",
  [Call_Type.ACKNOWLEDGE_OPERATION_STATUS]: "invalid_operation_status_update_acknowledgements",
  [Call_Type.MESSAGE]: "invalid_framework_to_executor_messages",
};

/** One master process: a candidate that may lead for a while, possibly several times. While it is not leading it only knows who is. */
export class Master implements SchedulerService, OperatorService {
  /** A UUID, new with every start. */
  readonly id: string;
  readonly view: MasterView;
  private readonly watchers = new Watchers();
  private readonly metrics: MasterMetrics;
  private readonly ids: Ids;
  private info: MasterInfo;
  private current: Leadership | undefined;
  /** The current leadership, and whether it still holds. */
  private tenure: Tenure = FOR_NOW;
  private electedTime: number | undefined;
  private leader: MasterInfo | undefined;
  private unwatch: (() => void) | undefined;
  private withdraw: (() => Promise<void>) | undefined;

  constructor(private readonly deps: MasterDeps) {
    this.id = deps.random.uuid();
    this.info = { id: this.id, capabilities: [] };
    this.ids = new Ids(this.id);
    this.metrics = new MasterMetrics(deps.metrics);
    const startTime = deps.clock.now() / 1000;
    const started = deps.clock.monotonic();
    const leading = () => this.current;
    this.view = new ClusterView({
      info: () => this.info,
      options: deps.options,
      startTime,
      electedTime: () => this.electedTime,
      flags: deps.flags,
      cluster: deps.clusterName,
      watchers: this.watchers,
      leadership: () => this.leadership(),
      leading,
    });
    const uptime = () => (deps.clock.monotonic() - started) / 1000;
    publishGauges({ metrics: deps.metrics, uptime, leading });
  }

  /** @param info how this master is reached; its id is filled in */
  start(info: Omit<MasterInfo, "id">): void {
    this.info = { ...info, id: this.id };
    this.unwatch = this.deps.election.watch((leader) => {
      this.leader = leader;
      const conflict = leader === undefined ? undefined : regionConflict(leader, this.info);
      if (conflict !== undefined) void this.giveUp(new Error(conflict), "Cannot stand by for the leader");
    });
    this.contend();
  }

  async stop(): Promise<void> {
    this.unwatch?.();
    this.step(undefined);
    await this.withdraw?.();
  }

  private contend(): void {
    this.withdraw = this.deps.election.contend(this.info, {
      elected: (tenure) => void this.lead(tenure),
      lost: (reason) => this.lose(reason),
    });
  }

  private async lead(tenure: Tenure = FOR_NOW): Promise<void> {
    const { deps, info, metrics, ids, watchers } = this;
    const stepBack = (message: string) => (err: unknown) => {
      if (this.current === leadership) void this.giveUp(err, message);
    };
    const isCurrent = (): boolean => this.current === leadership;
    const held: Tenure = { holds: () => isCurrent() && tenure.holds() };
    const failed = stepBack("The registry cannot be written");
    const registry = new GuardedRegistry(deps.registry, held, { isCurrent, failed });
    const unfit = stepBack("Must not go on leading");
    const transport = new TenuredTransport(deps.transport, tenure);
    const leadership = new Leadership({ ...deps, transport, registry, unfit, info, metrics, ids, watchers });
    this.step(leadership);
    this.tenure = tenure;
    deps.logger.info({ id: this.id }, "Elected as the leading master");
    try {
      await leadership.start();
    } catch (err) {
      if (this.current === leadership) await this.giveUp(err, "Cannot lead without the registry");
    }
  }

  private async giveUp(err: unknown, message: string): Promise<void> {
    const { logger, failed } = this.deps;
    logger.error({ err, ...(isTepuiError(err) && { advice: err.hint }) }, message);
    this.step(undefined);
    await this.withdraw?.();
    failed?.();
  }

  private lose(reason: string): void {
    this.deps.logger.error({ reason }, "Lost the leadership");
    this.step(undefined);
    // This address may lead again later; launches of this term must not reach agents then.
    this.deps.transport.reset?.();
    this.contend();
  }

  private step(leadership: Leadership | undefined): void {
    const before = this.current;
    before?.stop();
    this.current = leadership;
    this.electedTime = leadership === undefined ? undefined : this.deps.clock.now() / 1000;
    if (before !== undefined) this.watchers.deposed();
  }

  leadership(): LeadershipRecord {
    if (this.current === undefined) {
      // A leader at this very address is an earlier process that has ended: a redirect there would come back here.
      const own = this.leader?.pid !== undefined && this.leader.pid === this.info.pid;
      return { role: "standby", leader: own ? undefined : this.leader };
    }
    if (!this.tenure.holds()) return { role: "standby", leader: undefined };
    return { role: this.current.recovered ? "leading" : "recovering", leader: this.leader ?? this.info };
  }

  validate(call: Call): void {
    const problem = validateCall(call);
    if (problem === undefined) return;
    const counter = INVALID[call.type ?? Call_Type.UNKNOWN];
    if (counter !== undefined) this.metrics.counters[counter].inc();
    throw invalidCall(problem);
  }

  subscribe(subscription: SchedulerSubscription): SchedulerSession {
    const { subscriptions } = this.serving();
    const connection = new TenuredConnection(subscription.connection, this.tenure);
    return subscriptions.subscribe({ ...subscription, connection });
  }

  call(request: SchedulerRequest): void | Promise<void> {
    return this.serving().calls.call(request);
  }

  operate(request: OperatorOperation): void {
    this.operated().operatorOperations.operate(request);
  }

  weights(): readonly WeightInfo[] {
    return this.operated().weights.all();
  }

  updateWeights(weights: readonly WeightInfo[]): Promise<void> {
    return this.operated().weights.update(weights);
  }

  quotas(): readonly QuotaConfig[] {
    return this.operated().quotas.all();
  }

  updateQuota({ configs, force }: Parameters<OperatorService["updateQuota"]>[0]): Promise<void> {
    return this.operated().quotas.update(configs, force);
  }

  setQuota(request: QuotaRequest): Promise<void> {
    return this.operated().quotas.set(request);
  }

  removeQuota(role: string): Promise<void> {
    return this.operated().quotas.remove(role);
  }

  maintenanceSchedule(): Schedule {
    return this.operated().maintenance.schedule();
  }

  maintenanceStatus(): ClusterStatus {
    return this.operated().maintenance.status();
  }

  updateMaintenanceSchedule(schedule: Schedule): Promise<void> {
    return this.operated().maintenance.update(schedule);
  }

  startMaintenance(machines: readonly MachineID[]): Promise<void> {
    return this.operated().maintenance.start(machines);
  }

  stopMaintenance(machines: readonly MachineID[]): Promise<void> {
    return this.operated().maintenance.stop(machines);
  }

  drainAgent(drain: AgentDrain): Promise<void> {
    return this.operated().draining.drain(drain);
  }

  deactivateAgent(agentId: string): Promise<void> {
    return this.operated().draining.deactivate(agentId);
  }

  reactivateAgent(agentId: string): Promise<void> {
    return this.operated().draining.reactivate(agentId);
  }

  markAgentGone(agentId: string): Promise<void> {
    return this.operated().goneAgents.request(agentId);
  }

  teardown(frameworkId: string): void {
    const { cluster, frameworks } = this.operated();
    const framework = cluster.frameworks.get(frameworkId);
    if (framework === undefined) {
      const detail = "No framework found with specified ID";
      throw new TepuiError("TEPUI_OPERATOR_REQUEST_INVALID", { detail });
    }
    frameworks.remove(framework);
  }

  private operated(): Leadership {
    if (!this.current?.recovered || !this.tenure.holds()) throw new TepuiError("TEPUI_OPERATOR_NOT_LEADING");
    return this.current;
  }

  private serving(): Leadership {
    if (!this.current?.recovered || !this.tenure.holds())
      throw new TepuiError("TEPUI_SCHEDULER_MASTER_NOT_LEADING");
    return this.current;
  }
}
