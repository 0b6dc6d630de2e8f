import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Candidacy, Election } from "../../sdk/contracts/election.js";

type Watcher = (leader: MasterInfo | undefined) => void;

/**
 * The election of a cluster with a single master: whoever contends leads, until it withdraws.
 * `elected` is called in a microtask, never within `contend`, so the candidate has its withdrawal in hand before it leads.
 */
export class StandaloneElection implements Election {
  private leader: MasterInfo | undefined;
  private candidate: Candidacy | undefined;
  private readonly watchers = new Set<Watcher>();

  contend(info: MasterInfo, candidacy: Candidacy): () => Promise<void> {
    // One process, one master: a second candidacy replaces the first, as a second start of the same master would.
    const previous = this.candidate;
    this.candidate = candidacy;
    if (this.leader !== undefined) previous?.lost("another candidate took over");
    queueMicrotask(() => {
      if (this.candidate !== candidacy) return;
      this.lead(info);
      candidacy.elected();
    });
    return async () => {
      if (this.candidate !== candidacy) return;
      this.candidate = undefined;
      this.lead(undefined);
    };
  }

  watch(changed: Watcher): () => void {
    // A wrapper, so that the same function can watch twice, each with its own undo.
    const watcher: Watcher = (leader) => changed(leader);
    this.watchers.add(watcher);
    watcher(this.leader);
    return () => this.watchers.delete(watcher);
  }

  private lead(leader: MasterInfo | undefined): void {
    if (this.leader === leader) return;
    this.leader = leader;
    for (const watcher of [...this.watchers]) watcher(leader);
  }
}
