import type { Counter, Metrics } from "../../../sdk/contracts/metrics.js";

const NAMES = ["messages_received", "messages_processed"] as const;

interface Entry {
  readonly received: Counter;
  readonly processed: Counter;
  frameworks: number;
}

/**
 * `frameworks/<principal>/messages_...`: what schedulers of the v0 driver send, by the principal of their framework. There for all frameworks
 * that have one, and until the last of a principal is gone; those of the v1 API are not counted.
 */
export class PrincipalMetrics {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly registry: Metrics) {}

  /** A framework has come. */
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

  /** A framework has gone. */
  remove(principal: string | undefined): void {
    const entry = this.entries.get(principal ?? "");
    if (principal === undefined || entry === undefined || --entry.frameworks > 0) return;
    this.entries.delete(principal);
    for (const name of NAMES) this.registry.remove(fullName(principal, name));
  }

  received(principal: string | undefined): void {
    this.entries.get(principal ?? "")?.received.inc();
  }

  /** Also one that changed nothing. */
  processed(principal: string | undefined): void {
    this.entries.get(principal ?? "")?.processed.inc();
  }
}

const fullName = (principal: string, name: string): string => `frameworks/${principal}/${name}`;
