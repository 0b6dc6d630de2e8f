import { UnregisterSlaveMessage } from "../../proto/gen/mesos/internal/messages.js";
import type { ContainerLaunch } from "../../sdk/contracts/agent-containers.js";
import { type AgentDependencies, AgentParts } from "./agent-parts.js";
import type { AgentState } from "./agent-state.js";
import { AGENT_ACTOR } from "./constants.js";
import type { ContainerCalls } from "./containers/container-calls.js";
import type { ExecutorCalls } from "./executors/executor-calls.js";
import type { MasterLink } from "./link/master-link.js";
import type { AgentPaths } from "./paths.js";
import type { SavedAgent } from "./recovery/saved-state.js";
import { succession } from "./recovery/succession.js";
import type { CheckpointedResources } from "./resources/checkpointed-resources.js";

/**
 * The agent: handles the master's messages, runs tasks through containerizers, and reports their status.
 *
 * It has no I/O of its own: time, randomness, messages, containers and the disk come in through its dependencies.
 */
export class Agent {
  readonly state: AgentState;
  readonly paths: AgentPaths;
  readonly link: MasterLink;
  readonly calls: ExecutorCalls;
  readonly containers: ContainerCalls;
  readonly resources: CheckpointedResources;
  readonly startTime: number;
  private readonly parts: AgentParts;

  constructor(private readonly dependencies: AgentDependencies) {
    this.parts = new AgentParts(dependencies, { end: () => this.end(), idle: () => this.idle() });
    const { state, paths, link, calls, containers, resources, startTime } = this.parts;
    this.state = state;
    this.paths = paths;
    this.link = link;
    this.calls = calls;
    this.containers = containers;
    this.resources = resources;
    this.startTime = startTime;
  }

  /** `slave(1)@ip:port`; valid once the transport has started. */
  get pid(): string {
    return this.dependencies.transport.address(AGENT_ACTOR);
  }

  /**
   * Takes over what an earlier run left behind. Resolves when everything that still runs is tracked again or has been given up. Rejects
   * with TEPUI_AGENT_RECOVERY_FAILED if this is no longer the same agent.
   *
   * @param bootId identifies the current boot of the host
   * @param launches nested and standalone containers
   */
  async recover(saved: SavedAgent, bootId: string, launches: readonly ContainerLaunch[] = []): Promise<void> {
    const { state } = this;
    const { gc, inbox, draining, recovery, checkpoints, metrics } = this.parts;
    const { disk, clock, options, logger } = this.dependencies;
    const started = clock.monotonic();
    for (const problem of saved.problems) logger.warn(problem);
    metrics.recoveryErrors.inc(saved.problems.length);
    // An agent that only cleans up keeps its earlier identity.
    if (options.recover === "cleanup") state.info = saved.info ?? state.info;
    const { asBefore, changes, rebooted, reconfigured } = succession(saved, {
      info: state.info,
      bootId,
      policy: options.reconfigurationPolicy,
      latest: this.paths.meta.latestAgent(),
    });
    await this.resources.restore(saved.resources);
    for (const directory of this.resources.asideDirectories()) this.removeAside(directory);
    if (saved.info?.id !== undefined && asBefore) state.info = { ...state.info, id: saved.info.id };
    else if (saved.info !== undefined) {
      logger.warn({ changes }, "starting as a new agent: the host was changed and rebooted");
      // The next run finds no reboot any more, and would be held to what that agent was.
      await disk.apply([{ op: "remove", path: this.paths.meta.latestAgent() }]);
      const old = saved.info.id?.value;
      for (const layout of [this.paths.work, this.paths.meta])
        if (old !== undefined) gc.schedule(layout.agent(old));
    }
    for (const { path, age } of saved.leftovers) gc.schedule(path, age);
    inbox.open();
    if (asBefore && saved.drainConfig !== undefined) draining.restore(saved.drainConfig);
    await recovery.run(asBefore ? saved.frameworks : [], rebooted, launches);
    draining.resume();
    if (reconfigured && asBefore) await disk.apply(checkpoints.agent(state.info));
    // Only if it has changed: an agent whose disk is full must be able to come back and make room.
    if (saved.bootId !== bootId) await disk.apply(checkpoints.bootId(bootId));
    metrics.recovered((clock.monotonic() - started) / 1000);
  }

  start(): void {
    const { state, calls, gc, inbox, link, oversubscription, corrections } = this.parts;
    state.phase = "serving";
    calls.open = true;
    gc.start();
    inbox.open();
    link.start();
    oversubscription.start();
    corrections.start();
  }

  /** Called instead of `start`: ends everything that an earlier run left behind, and then the agent, without contacting a master. */
  endEarlierRun(): void {
    const left = [...this.state.executors()].length;
    this.dependencies.logger.info(`ending what an earlier run left: ${left} executors or command tasks`);
    this.end();
  }

  /** Tasks of checkpointing frameworks go on without the agent; those of other frameworks end now. */
  async stop(): Promise<void> {
    const { inbox, oversubscription, corrections, link, gc, updates, executors, operationUpdates } =
      this.parts;
    inbox.close();
    oversubscription.stop();
    corrections.stop();
    link.stop();
    gc.stop();
    updates.stop();
    executors.retirement.stop();
    operationUpdates.pause();
    const doomed = [...this.state.executors()].filter(
      ({ checkpoint, state }) => !checkpoint && state !== "terminated",
    );
    await Promise.allSettled(doomed.map((executor) => executor.containerizer?.destroy(executor.containerId)));
    for (const executor of this.state.executors()) {
      executor.stopTimers();
      executor.command?.stop();
      executor.connection?.close();
    }
  }

  /** Leaves the cluster: unregisters and ends all frameworks. */
  unregister(): void {
    const body = UnregisterSlaveMessage.encode({ slave_id: { value: this.state.id } }).finish();
    if (this.state.info.id !== undefined)
      this.link.send({ name: "mesos.internal.UnregisterSlaveMessage", body });
    this.end();
  }

  private end(): void {
    if (this.state.phase === "terminating") return;
    this.state.phase = "terminating";
    if (this.state.frameworks.size === 0) this.idle();
    for (const framework of [...this.state.frameworks.values()])
      this.parts.executors.shutdownFramework(framework);
  }

  /** Removes volumes on disks of their own whose removal an earlier run did not finish. */
  private removeAside(directory: string): void {
    this.dependencies.disk
      .resumeDiscards(directory)
      .catch((error: unknown) =>
        this.dependencies.logger.warn({ err: error }, "an old volume cannot be removed"),
      );
  }

  private idle(): void {
    this.parts.draining.check();
    if (this.state.phase !== "terminating") return;
    this.dependencies.logger.info("nothing of this agent is left");
    this.dependencies.finished();
  }
}
