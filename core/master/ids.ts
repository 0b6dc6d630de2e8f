/**
 * The ids that a master assigns: `<master id>-0000` for frameworks, `-O0` for offers, `-S0` for agents.
 * There is one instance per process, so that no id is assigned twice even if the leadership is lost and won again.
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
