import { ExitedExecutorMessage } from "../../proto/gen/mesos/internal/messages.js";
import type { AgentInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Checker } from "../../sdk/contracts/checker.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Containerizer } from "../../sdk/contracts/containerizer.js";
import type { Election } from "../../sdk/contracts/election.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { MessageTransport } from "../../sdk/contracts/message-transport.js";
import type { Metrics } from "../../sdk/contracts/metrics.js";
import type { QoSController } from "../../sdk/contracts/qos-controller.js";
import type { Random } from "../../sdk/contracts/random.js";
import type { ResourceEstimator } from "../../sdk/contracts/resource-estimator.js";
import { AgentState } from "./agent-state.js";
import { Checkpoints } from "./checkpoint.js";
import { CommandsInContainers } from "./checks/commands-in-containers.js";
import { TaskChecks } from "./checks/task-checks.js";
import { AGENT_ACTOR } from "./constants.js";
import { ContainerCalls } from "./containers/container-calls.js";
import { SavedContainers } from "./containers/saved-containers.js";
import type { Disk } from "./disk/operations.js";
import { Draining } from "./draining/draining.js";
import { ExecutorDrivers } from "./drivers/executor-drivers.js";
import { Deliveries } from "./executors/deliveries.js";
import { ExecutorCalls } from "./executors/executor-calls.js";
import { ExecutorTokens } from "./executors/executor-tokens.js";
import { Executors } from "./executors/executors.js";
import { GarbageCollector } from "./garbage-collector.js";
import { Complaints } from "./link/complaints.js";
import { Inbox } from "./link/inbox.js";
import { MasterLink, type NamedMessage } from "./link/master-link.js";
import { MasterOrders } from "./link/master-orders.js";
import { registrationMessage } from "./link/registration.js";
import { ResourceVersion } from "./link/resource-version.js";
import { AgentMetrics } from "./metrics.js";
import { AgentOperations } from "./operations/agent-operations.js";
import { OperationUpdates } from "./operations/operation-updates.js";
import type { AgentOptions } from "./options.js";
import { AgentPaths } from "./paths.js";
import { Pods } from "./pods/pods.js";
import { Recovery } from "./recovery/recovery.js";
import { CheckpointedResources } from "./resources/checkpointed-resources.js";
import { Oversubscription } from "./resources/oversubscription.js";
import { QoSCorrections } from "./resources/qos-corrections.js";
import { ContainerSizes } from "./tasks/container-sizes.js";
import { Launches } from "./tasks/launches.js";
import { Statuses } from "./tasks/statuses.js";
import { TaskContainers } from "./tasks/task-containers.js";
import { UpdateManager } from "./updates/update-manager.js";

export interface AgentDependencies {
  readonly options: AgentOptions;
  readonly info: AgentInfo;
  /** The address that executors and masters are given. */
  readonly ip: string;
  readonly containerizers: readonly Containerizer[];
  readonly checkers: ReadonlyMap<string, Checker>;
  readonly election: Election;
  readonly transport: MessageTransport;
  readonly estimator: ResourceEstimator;
  readonly qosController: QoSController;
  readonly disk: Disk;
  /** Fraction (0 to 1) of the work directory's file system that is in use. */
  readonly diskUsage: () => Promise<number>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** A master shut this agent down, and its last framework is gone. */
  readonly finished: () => void;
}

/** What the parts ask of the agent as a whole. */
export interface AgentLifecycle {
  /** The master removes this agent from the cluster. */
  end(): void;
  /** The last framework is gone. */
  idle(): void;
}

/** The parts of one agent, wired to each other. What happens to them from start to stop is in `agent.ts`. */
export class AgentParts {
  readonly state: AgentState;
  readonly calls: ExecutorCalls;
  readonly link: MasterLink;
  readonly gc: GarbageCollector;
  readonly updates: UpdateManager;
  readonly executors: Executors;
  readonly startTime: number;
  readonly paths: AgentPaths;
  readonly containers: ContainerCalls;
  private readonly statuses: Statuses;
  private readonly deliveries: Deliveries;
  readonly draining: Draining;
  private readonly drivers: ExecutorDrivers;
  readonly checkpoints: Checkpoints;
  readonly resources: CheckpointedResources;
  readonly operationUpdates: OperationUpdates;
  private readonly pods: Pods;
  readonly recovery: Recovery;
  readonly oversubscription: Oversubscription;
  readonly corrections: QoSCorrections;
  readonly metrics: AgentMetrics;
  readonly inbox: Inbox;

  constructor(dependencies: AgentDependencies, lifecycle: AgentLifecycle) {
    const { options, clock, random, logger, metrics, transport, disk, containerizers } = dependencies;
    this.startTime = clock.now() / 1000;
    this.state = new AgentState(dependencies.info);
    this.paths = new AgentPaths(options.workDir);
    this.checkpoints = new Checkpoints(this.paths);
    this.metrics = new AgentMetrics(metrics);
    const resourceVersion = new ResourceVersion(random);
    this.link = new MasterLink({
      clock,
      random,
      transport,
      election: dependencies.election,
      logger,
      backoffFactor: options.registrationBackoffFactor,
      host: {
        registration: () => registrationMessage(this.state, resourceVersion),
        disconnected: () => {
          this.updates.pause();
          this.operationUpdates.pause();
        },
      },
    });
    this.gc = new GarbageCollector({
      clock,
      disk,
      logger,
      metrics,
      delay: options.gcDelay,
      headroom: options.gcDiskHeadroom,
      watchInterval: options.diskWatchInterval,
      usage: dependencies.diskUsage,
    });
    const { state, paths, checkpoints, gc } = this;
    const complaints = new Complaints(clock);
    const metered = { metrics: this.metrics, complaints };
    const common = { state, paths, checkpoints, gc, disk, clock, random, logger, ...metered };
    const send = this.link.send.bind(this.link);
    const reregister = () => this.link.reregister();
    this.resources = new CheckpointedResources(common);
    this.operationUpdates = new OperationUpdates({ clock, send, agentId: () => state.id });
    const operations = new AgentOperations({
      ...common,
      resources: this.resources,
      updates: this.operationUpdates,
      resourceVersion,
      send,
      reregister,
      undone: () => this.link.changed(),
      settled: () => this.draining.check(),
    });
    const { tokenKey, authenticateExecutors = false } = options;
    const tokens = tokenKey === undefined ? undefined : new ExecutorTokens(tokenKey, clock);
    const agentPid = (): string => transport.address(AGENT_ACTOR);
    const executorNotLaunched = this.tellNotLaunched.bind(this);
    this.updates = new UpdateManager({
      clock,
      disk,
      logger,
      forward: (update) => this.statuses.forward(update),
    });
    this.statuses = new Statuses({
      ...common,
      updates: this.updates,
      agentPid,
      send,
      misbehaved: (executor) => this.executors.shutdown(executor),
      shrunk: (executor) => this.deliveries.shrink(executor),
    });
    const { statuses, updates } = this;
    this.containers = new ContainerCalls({
      ...common,
      agent: options,
      containerizers,
      saved: new SavedContainers(paths.savedContainers()),
    });
    this.executors = new Executors({
      ...common,
      statuses,
      updates,
      agent: options,
      send,
      forgotten: (containerId) => this.containers.gone(containerId),
      idle: () => lifecycle.idle(),
    });
    const { executors } = this;
    this.draining = new Draining({ ...common, executors, updates });
    const sendTo = (pid: string, message: NamedMessage): void =>
      transport.send(pid, { from: AGENT_ACTOR, ...message });
    this.deliveries = new Deliveries({
      ...common,
      sizes: new ContainerSizes({ cfs: options.cgroupsEnableCfs }),
      executors,
      statuses,
    });
    this.calls = new ExecutorCalls({
      ...common,
      tokens: authenticateExecutors ? tokens : undefined,
      deliveries: this.deliveries,
      executors,
      statuses,
      attached: () => this.recovery.cameBack(),
      master: () => (this.link.registered ? this.link.master : undefined),
      sendTo,
      room: (pid) => transport.room?.(pid),
    });
    this.drivers = new ExecutorDrivers({
      ...common,
      calls: this.calls,
      retryInterval: options.executorReregistrationRetryInterval ?? 0,
      sendTo,
    });
    const checks = new TaskChecks({ checkers: dependencies.checkers, clock, random, logger });
    const commands = new CommandsInContainers({ containers: this.containers, random, logger });
    const containers = new TaskContainers({
      ...common,
      checks,
      commands,
      agent: options,
      agentPid,
      tokens,
      ip: dependencies.ip,
      containerizers,
      executors,
      statuses,
      startPod: (framework, executor) => this.pods.start(framework, executor),
    });
    this.pods = new Pods({
      ...common,
      containers: this.containers,
      checks,
      commands,
      calls: this.calls,
      executors,
    });
    const launches = new Launches({
      ...common,
      checks,
      agent: options,
      resourceVersion,
      reregister,
      containers,
      containerizers,
      executors,
      statuses,
      resources: this.resources,
      deliver: (executor) => this.deliveries.deliver(executor),
      executorNotLaunched,
    });
    this.recovery = new Recovery({
      ...common,
      containerCalls: this.containers,
      agent: options,
      containerizers,
      taskContainers: containers,
      pods: this.pods,
      executors,
      drivers: this.drivers,
      updates,
      expected: () => {
        this.calls.open = true;
      },
    });
    this.oversubscription = new Oversubscription({
      ...common,
      resourceVersion,
      estimator: dependencies.estimator,
      interval: options.oversubscribedResourcesInterval,
      registered: () => this.link.registered,
      send,
    });
    this.corrections = new QoSCorrections({
      ...common,
      executors,
      controller: dependencies.qosController,
      interval: options.qosCorrectionInterval,
    });
    const orders = new MasterOrders({
      ...common,
      link: this.link,
      launches,
      executors,
      deliveries: this.deliveries,
      statuses,
      updates,
      resources: this.resources,
      operations,
      draining: this.draining,
      end: () => lifecycle.end(),
      executorNotLaunched,
    });
    this.inbox = new Inbox({
      ...common,
      transport,
      link: this.link,
      orders,
      drivers: this.drivers,
    });
    this.metrics.observe({
      state,
      registered: () => this.link.registered,
      uptime: () => clock.now() / 1000 - this.startTime,
      maxSandboxAge: () => this.gc.maxAllowedAge / 1000,
    });
  }

  private tellNotLaunched(frameworkId: string, executorId: string): void {
    const body = ExitedExecutorMessage.encode({
      slave_id: { value: this.state.id },
      framework_id: { value: frameworkId },
      executor_id: { value: executorId },
      status: -1,
    }).finish();
    this.link.send({ name: "mesos.internal.ExitedExecutorMessage", body });
  }
}
