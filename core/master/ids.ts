/**
 * The ids that a master gives: `<master id>-0000` for frameworks, `-O0` for offers, `-S0` for agents.
 *
 * One of these lives as long as the process, so that no id is given twice even when leadership is lost and won again.
 */
export class Ids {
  private frameworks = 0;
  private offers = 0;
  private agents = 0;
  private observers = 0;

  constructor(private readonly masterId: string) {}

  nextFramework(): string {
    return `${this.masterId}-${String(this.frameworks++).padStart(4, "0")}`;
  }

  nextOffer(): string {
    return `${this.masterId}-O${this.offers++}`;
  }

  nextAgent(): string {
    return `${this.masterId}-S${this.agents++}`;
  }

  /** Name of the actor that pings one agent. */
  nextObserver(): string {
    return `slave-observer(${++this.observers})`;
  }
}
