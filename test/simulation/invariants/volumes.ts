import type { Cluster } from "../cluster.js";

/** The persistent volumes of a run, as reported to their frameworks. */
export class Volumes {
  private readonly states = new Map<string, "asked" | "made" | "unsure" | "gone">();
  private readonly agents = new Map<string, string>();
  private readonly doomed = new Set<string>();
  private next = 0;

  /** No two volumes ever have the same id. */
  newId(by: string): string {
    const id = `${by}-v${++this.next}`;
    this.states.set(id, "asked");
    return id;
  }

  made(id: string): void {
    if (this.states.get(id) === "asked") this.states.set(id, "made");
  }

  /** The volume should exist on this agent. */
  place(id: string, agentId: string): void {
    this.agents.set(id, agentId);
    if (this.doomed.has(agentId)) this.mayGo(id);
  }

  /** The agent may disappear together with everything on it. */
  mayGoWith(agentId: string): void {
    this.doomed.add(agentId);
    for (const [id, at] of this.agents) if (at === agentId) this.mayGo(id);
  }

  /** Somebody requests its destruction. */
  mayGo(id: string): void {
    if (this.states.get(id) !== "gone") this.states.set(id, "unsure");
  }

  gone(id: string): void {
    this.states.set(id, "gone");
  }

  /** Where reality differs from what frameworks were told. */
  problems({ agents }: Cluster): string[] {
    const found: string[] = [];
    const there = new Set<string>();
    for (const { name, life } of agents) {
      for (const { kind } of life?.agent.state.total.persistentVolumes() ?? []) {
        const id = kind.disk?.persistence?.id ?? "";
        if (there.has(id)) found.push(`there is more than one volume ${id}, also on ${name}`);
        there.add(id);
      }
    }
    for (const [id, state] of this.states) {
      if (state === "made" && !there.has(id)) found.push(`volume ${id} was made, and is not there`);
      if (state === "gone" && there.has(id)) found.push(`volume ${id} was destroyed, and is there`);
    }
    return found;
  }
}
