import type {
  AgentInfo,
  AgentInfo_Capability,
  DrainConfig,
  Operation,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { AgentFrameworkView, AgentView, ContainerUsageView } from "../../sdk/contracts/agent-view.js";
import { Resources } from "../../sdk/resources/index.js";
import type { Agent } from "./agent.js";
import { AGENT_CAPABILITIES } from "./constants.js";
import type { Executor } from "./executors/executor.js";
import { liveExecutors, measureContainer } from "./resources/resource-usage.js";

/** What endpoints can read of the agent. */
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

  get drainConfig(): DrainConfig | undefined {
    return this.agent().state.draining?.config;
  }

  get estimatedDrainStartTime(): number | undefined {
    return this.agent().state.draining?.since;
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

  operations(): Iterable<Operation> {
    return this.agent().state.operations.values();
  }

  usage(): Promise<readonly ContainerUsageView[]> {
    return Promise.all(liveExecutors(this.agent().state).map(usageOf));
  }
}

async function usageOf(executor: Executor): Promise<ContainerUsageView> {
  return {
    frameworkId: executor.ids.frameworkId,
    executorId: executor.id,
    executorName: executor.name,
    source: executor.source,
    containerId: executor.containerId,
    ...(await measureContainer(executor)),
  };
}
