import type { AgentInfo, AgentInfo_Capability } from "../../proto/gen/mesos/v1/mesos.js";
import type { AgentFrameworkView, AgentView, ContainerUsageView } from "../../sdk/contracts/agent-view.js";
import { Resources } from "../../sdk/resources/index.js";
import type { Agent } from "./agent.js";
import { AGENT_CAPABILITIES } from "./constants.js";
import type { Executor } from "./executor.js";

/** What endpoints see of the agent. */
export class LiveAgentView implements AgentView {
  readonly capabilities: readonly AgentInfo_Capability[] = AGENT_CAPABILITIES;

  constructor(
    private readonly agent: () => Agent,
    readonly flags: ReadonlyMap<string, string>,
  ) {}

  get info(): AgentInfo {
    return this.agent().state.info;
  }

  get pid(): string {
    return this.agent().pid;
  }

  get startTime(): number {
    return this.agent().startTime;
  }

  get total(): Resources {
    return this.agent().state.total;
  }

  get allocated(): Resources {
    return Resources.sum(Array.from(this.agent().state.executors(), ({ resources }) => resources));
  }

  get registered(): boolean {
    return this.agent().link.registered;
  }

  masterHostname(): string | undefined {
    return this.agent().link.masterHostname;
  }

  frameworks(): Iterable<AgentFrameworkView> {
    return this.agent().state.frameworks.values();
  }

  completedFrameworks(): Iterable<AgentFrameworkView> {
    return this.agent().state.completedFrameworks.values();
  }

  usage(): Promise<readonly ContainerUsageView[]> {
    const live = [...this.agent().state.executors()].filter(({ state }) => state !== "terminated");
    return Promise.all(live.map(usageOf));
  }
}

async function usageOf(executor: Executor): Promise<ContainerUsageView> {
  const { containerizer, containerId } = executor;
  // Either may be unknown while the container starts or ends.
  const [status, statistics] = await Promise.all([
    containerizer?.status(containerId).catch(() => undefined),
    containerizer?.usage(containerId).catch(() => undefined),
  ]);
  return {
    frameworkId: executor.ids.frameworkId,
    executorId: executor.id,
    executorName: executor.name,
    source: executor.source,
    containerId,
    status,
    statistics,
  };
}
