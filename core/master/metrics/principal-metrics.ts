import type { Counter, Metrics } from "../../../sdk/contracts/metrics.js";

const NAMES = ["messages_received", "messages_processed"] as const;

interface Entry {
  readonly received: Counter;
  readonly processed: Counter;
  frameworks: number;
}

/**
 * `frameworks/<principal>/messages_...`: what schedulers on the v0 driver send, by principal of their framework. The counters exist for
 * every framework with a principal, until the last one with it is gone; calls of the v1 API are not counted.
 */
export class PrincipalMetrics {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly registry: Metrics) {}

  /** A framework has been added. */
  add(principal: string | undefined): void {
    if (principal === undefined) return;
    const known = this.entries.get(principal);
    if (known !== undefined) {
      known.frameworks++;
      return;
    }
    const [received, processed] = NAMES.map((name) => this.registry.counter(fullName(principal, name)));
    this.entries.set(principal, { received: received!, processed: processed!, frameworks: 1 });
  }

  /** A framework has been removed. */
  remove(principal: string | undefined): void {
    const entry = this.entries.get(principal ?? "");
    if (principal === undefined || entry === undefined || --entry.frameworks > 0) return;
    this.entries.delete(principal);
    for (const name of NAMES) this.registry.remove(fullName(principal, name));
  }

  received(principal: string | undefined): void {
    this.entries.get(principal ?? "")?.received.inc();
  }

  /** Counted even if the message changed nothing. */
  processed(principal: string | undefined): void {
    this.entries.get(principal ?? "")?.processed.inc();
  }
}

const fullName = (principal: string, name: string): string => `frameworks/${principal}/${name}`;
