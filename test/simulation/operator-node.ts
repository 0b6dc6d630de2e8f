import type { Master } from "../../core/master/master.js";
import { DrainState } from "../../proto/gen/mesos/v1/mesos.js";
import type { AgentRecord } from "../../sdk/contracts/master-view.js";
import type { Cluster } from "./cluster.js";
import { callLeader } from "./leader-call.js";
import { OperatorPlans } from "./operator-plans.js";
import { OperatorResources } from "./operator-resources.js";
import { type Host, SimulatedProcess } from "./process.js";

/** The state of an agent as the operator was told; `unsure` while, or because, there is no answer. */
type Settled = "deactivated" | "draining" | "active" | "unsure";

const WORDS = {
  deactivate: "deactivated",
  drain: "draining",
  drainAway: "unsure",
  reactivate: "active",
  giveUp: "unsure",
} as const satisfies Record<string, Settled>;

type Action = keyof typeof WORDS;

/** An operator who deactivates, drains and reactivates agents over HTTP, and replaces machines that were marked gone. */
export class OperatorNode {
  readonly host: Host = { name: "op", clockOffset: 0 };
  private readonly process: SimulatedProcess;
  private readonly settled = new Map<string, Settled>();
  /** Ids of agents that are, or may be, gone for good. */
  private readonly givenUp = new Set<string>();
  /** Ids of agents with a pending request -> whether they have been forgotten since, so that the answer says nothing about later. */
  private readonly busy = new Map<string, boolean>();

  readonly plans: OperatorPlans;
  private readonly resources: OperatorResources;

  constructor(private readonly cluster: Cluster) {
    this.process = new SimulatedProcess(cluster.world, this.host, "op");
    this.resources = new OperatorResources(cluster, this.process);
    // An agent that is removed with its machine may come back like any other.
    this.plans = new OperatorPlans(cluster, this.process, (id) => {
      this.settled.set(id, "unsure");
      if (this.busy.has(id)) this.busy.set(id, true);
    });
  }

  /** Does something that an operator might do now. */
  act(): void {
    const { world, agents } = this.cluster;
    const { wide } = this.cluster.size;
    if (this.leader !== undefined && world.dice.chance(wide ? 0.5 : 0.4)) {
      if (wide && world.dice.chance(0.3)) this.resources.act(this.leader);
      else this.plans.act(this.leader);
      return;
    }
    const id = world.dice.pick(agents)?.life?.agent.state.info.id?.value;
    if (id === undefined) return;
    this.ask(
      id,
      world.dice.weighted<Action>({ deactivate: 2, drain: 3, drainAway: 0.3, reactivate: 4, giveUp: 0.3 }),
    );
  }

  /** Reactivates everything that is not being drained, and plans nothing more. */
  reactivateAll(): void {
    if (this.leader !== undefined) this.plans.end(this.leader);
    for (const { id, deactivated, drainInfo } of this.leader?.master.view.agents() ?? [])
      if (deactivated && drainInfo?.state !== DrainState.DRAINING) this.ask(id, "reactivate");
  }

  /** Tears down frameworks whose schedulers have started over as others: their own teardown may not have been heard. */
  endPastFrameworks(): void {
    const { leader } = this;
    if (leader === undefined) return;
    for (const id of this.cluster.frameworks.flatMap(({ past }) => [...past.keys()])) {
      if (leader.master.view.framework(id) === undefined) continue;
      callLeader(this.cluster, {
        client: this.process,
        leader,
        text: `end ${id}`,
        perform: async () => leader.master.teardown(id),
        answered: () => undefined,
      });
    }
  }

  isGivenUp(id: string): boolean {
    return this.givenUp.has(id);
  }

  /** What the leading master should know about an agent but does not; undefined: nothing. */
  problem({ id, deactivated, drainInfo, offered }: AgentRecord): string | undefined {
    const settled = this.settled.get(id);
    if (deactivated && !offered.isEmpty) return `${id} is deactivated, and ${offered} are offered`;
    if (settled === "active" && deactivated) return `${id} was reactivated, and is deactivated`;
    if (settled !== "deactivated" && settled !== "draining") return undefined;
    if (!deactivated) return `${id} was ${settled}, and is active`;
    if (settled === "draining" && drainInfo === undefined) return `${id} was draining, and nobody knows`;
    return undefined;
  }

  private get leader() {
    return this.cluster.masters.find(({ life }) => life?.master.leadership().role === "leading")?.life;
  }

  private ask(id: string, action: Action): void {
    const { leader } = this;
    const { volumes } = this.cluster;
    if (leader === undefined || this.busy.has(id)) return;
    this.busy.set(id, false);
    const before = this.settled.get(id) ?? "unsure";
    this.settled.set(id, "unsure");
    if (action === "drainAway" || action === "giveUp") {
      this.givenUp.add(id);
      volumes.mayGoWith(id);
    }
    callLeader(this.cluster, {
      client: this.process,
      leader,
      text: `${action} ${id}`,
      perform: () => perform(leader.master, id, action),
      answered: (answer) => {
        const forgotten = this.busy.get(id) === true;
        this.busy.delete(id);
        if (forgotten) return;
        this.settled.set(id, answer === "done" ? WORDS[action] : answer === "refused" ? before : "unsure");
      },
    });
  }
}

async function perform(master: Master, agentId: string, action: Action): Promise<void> {
  switch (action) {
    case "deactivate":
      return master.deactivateAgent(agentId);
    case "drain":
      return master.drainAgent({ agentId, markGone: false });
    case "drainAway":
      return master.drainAgent({ agentId, markGone: true });
    case "reactivate":
      return master.reactivateAgent(agentId);
    case "giveUp":
      return master.markAgentGone(agentId);
  }
}
