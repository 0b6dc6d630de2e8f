import type { Call, Event } from "../../proto/gen/mesos/v1/executor/executor.js";
import type { ExecutorSession } from "../../sdk/contracts/executor-service.js";
import { isTepuiError } from "../../sdk/errors/index.js";
import type { AgentLife } from "./agent-node.js";
import { Connection, type Network, type Party } from "./network.js";
import type { SimulatedProcess } from "./process.js";

export interface ExecutorLineOptions {
  readonly network: Network;
  readonly client: SimulatedProcess;
  /** The agent that runs now; undefined: nobody answers. */
  readonly life: AgentLife | undefined;
  readonly subscribe: Call;
  readonly event: (event: Event) => void;
  /** The stream has ended. */
  readonly closed: () => void;
}

/** An executor's subscription with its agent, as over HTTP: one connection for events, one for calls. Both ends are on the same machine. */
export class ExecutorLine {
  private events: Connection | undefined;
  private calls: Connection | undefined;
  private readonly client: Party;
  private readonly caller: Party;
  private over = false;

  constructor(private readonly options: ExecutorLineOptions) {
    this.client = { process: options.client, closed: () => this.end() };
    this.caller = { process: options.client, closed: () => this.close() };
  }

  open(): void {
    const { network, client, life, subscribe, event } = this.options;
    if (life === undefined) {
      client.input(0.5, () => this.end());
      return;
    }
    const { process, agent } = life;
    let session: ExecutorSession | undefined;
    const server: Party = { process, closed: () => session?.disconnected() };
    const events = new Connection(network, this.client, server);
    this.events = events;
    this.calls = new Connection(network, this.caller, { process, closed: () => undefined });
    const connection = {
      send: (sent: Event): boolean => {
        events.send(server, () => event(sent));
        return true;
      },
      close: (): void => events.close(server),
    };
    events.send(this.client, () => {
      if (!agent.calls.ready()) {
        events.close(server);
        return;
      }
      this.guarded(process, () => {
        agent.calls.validate(subscribe);
        session = agent.calls.subscribe({ call: subscribe, connection });
      });
      if (session === undefined) events.close(server);
    });
  }

  call(call: Call): void {
    const { life } = this.options;
    if (this.over || life === undefined) return;
    const { process, agent } = life;
    this.calls?.send(this.caller, () => {
      if (!agent.calls.ready()) return;
      this.guarded(process, () => {
        agent.calls.validate(call);
        void agent.calls.call(call);
      });
    });
  }

  close(): void {
    if (this.over) return;
    this.events?.close(this.client);
    this.end();
  }

  /** A refused call is answered with an error, which executors ignore. */
  private guarded({ name, world }: SimulatedProcess, run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!isTepuiError(error)) world.violate("no call throws", String((error as Error).stack));
      world.note(`${name} refuses ${this.options.client.name}: ${String(error)}`);
    }
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    this.calls?.close(this.caller);
    this.options.closed();
  }
}
