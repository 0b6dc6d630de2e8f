import type { AgentInfo, MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type {
  AgentRecord,
  FrameworkRecord,
  MasterView,
  MasterWatcher,
  RoleRecord,
} from "../../sdk/contracts/master-view.js";
import type { Leadership as LeadershipRecord } from "../../sdk/contracts/scheduler-service.js";
import { rolesIn } from "./frameworks/roles.js";
import type { Leadership } from "./leadership.js";
import type { MasterOptions } from "./options.js";
import type { Watchers } from "./watchers.js";

export interface ViewOptions {
  readonly info: () => MasterInfo;
  readonly options: MasterOptions;
  /** Seconds since the epoch. */
  readonly startTime: number;
  readonly electedTime: () => number | undefined;
  readonly flags: ReadonlyMap<string, string>;
  readonly cluster: string | undefined;
  readonly watchers: Watchers;
  readonly leadership: () => LeadershipRecord;
  /** The current term, if this master leads. */
  readonly leading: () => Leadership | undefined;
}

/** What others may read of the master: the records of the state machines themselves, behind a read-only interface. */
export class ClusterView implements MasterView {
  constructor(private readonly parts: ViewOptions) {}

  get info(): MasterInfo {
    return this.parts.info();
  }

  get startTime(): number {
    return this.parts.startTime;
  }

  get electedTime(): number | undefined {
    return this.parts.electedTime();
  }

  get flags(): ReadonlyMap<string, string> {
    return this.parts.flags;
  }

  get cluster(): string | undefined {
    return this.parts.cluster;
  }

  leadership(): LeadershipRecord {
    return this.parts.leadership();
  }

  agents(): Iterable<AgentRecord> {
    return this.parts.leading()?.cluster.agents.values() ?? [];
  }

  agent(id: string): AgentRecord | undefined {
    return this.parts.leading()?.cluster.agents.get(id);
  }

  recoveredAgents(): Iterable<AgentInfo> {
    return this.parts.leading()?.cluster.recoveredAgents.values() ?? [];
  }

  unreachableAgents(): number {
    return this.parts.leading()?.cluster.unreachableAgents.size ?? 0;
  }

  frameworks(): Iterable<FrameworkRecord> {
    return this.parts.leading()?.cluster.frameworks.values() ?? [];
  }

  framework(id: string): FrameworkRecord | undefined {
    return this.parts.leading()?.cluster.frameworks.get(id);
  }

  completedFrameworks(): Iterable<FrameworkRecord> {
    return this.parts.leading()?.cluster.completedFrameworks.values() ?? [];
  }

  roles(): readonly RoleRecord[] {
    const leading = this.parts.leading();
    if (leading === undefined) return [];
    const { cluster, weights, quotas } = leading;
    return rolesIn(cluster, { roles: this.parts.options.roles, weights: weights.map, quotas: quotas.all() });
  }

  watch(watcher: MasterWatcher): () => void {
    return this.parts.watchers.add(watcher);
  }

  /** Changes are made before a call returns; offers are sent at the end of the turn in which the allocator made them. */
  async settled(): Promise<void> {
    await Promise.resolve();
  }
}
