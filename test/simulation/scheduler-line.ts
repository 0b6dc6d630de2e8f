import type { Call, Event } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { SchedulerSession } from "../../sdk/contracts/scheduler-service.js";
import { isTepuiError } from "../../sdk/errors/index.js";
import { checkLimits } from "./invariants/quotas.js";
import type { MasterNode } from "./master-node.js";
import { Connection, type Network, type Party } from "./network.js";
import type { SimulatedProcess } from "./process.js";

export interface SchedulerLineOptions {
  readonly network: Network;
  readonly client: SimulatedProcess;
  readonly node: MasterNode;
  readonly streamId: string;
  readonly subscribe: Call;
  readonly event: (event: Event) => void;
  /** A master sends an event. */
  readonly acts: (term: number, what: string) => void;
  /** The stream has ended. @param leader endpoint of the leading master, according to the other end */
  readonly closed: (leader: string | undefined) => void;
}

/** A scheduler's subscription with one master, as over HTTP: one connection for events, one for calls. */
export class SchedulerLine {
  subscribed = false;
  private events: Connection | undefined;
  private calls: Connection | undefined;
  private readonly client: Party;
  private readonly caller: Party;
  private over = false;
  private leader: string | undefined;

  constructor(private readonly options: SchedulerLineOptions) {
    this.client = { process: options.client, closed: () => this.end() };
    this.caller = { process: options.client, closed: () => this.close() };
  }

  open(): void {
    const { network, client, node, subscribe, streamId, event } = this.options;
    const { life } = node;
    if (life === undefined) {
      client.input(1, () => this.end());
      return;
    }
    const { process, master } = life;
    let session: SchedulerSession | undefined;
    const server: Party = { process, closed: () => session?.disconnected() };
    const events = new Connection(network, this.client, server);
    this.events = events;
    this.calls = new Connection(network, this.caller, { process, closed: () => undefined });
    events.send(this.client, () => {
      const { role, leader } = master.leadership();
      if (role !== "leading") {
        const pid = leader?.pid?.split("@")[1];
        events.send(server, () => {
          this.leader = pid === node.endpoint ? undefined : pid;
        });
        events.close(server);
        return;
      }
      master.validate(subscribe);
      let closed = false;
      session = master.subscribe({
        call: subscribe,
        principal: undefined,
        streamId,
        connection: {
          send: (sent) => {
            this.options.acts(life.term, `${process.name} sends event ${sent.type}`);
            checkLimits(client.world, life, sent.offers?.offers ?? []);
            events.send(server, () => event(sent));
            return true;
          },
          close: () => {
            if (closed) return;
            closed = true;
            events.close(server);
          },
        },
      });
    });
  }

  call(call: Call): void {
    const { client, node, streamId } = this.options;
    const { life } = node;
    const { calls } = this;
    if (this.over || calls === undefined || life === undefined) return;
    calls.send(this.caller, () => {
      const { master, process } = life;
      try {
        if (master.leadership().role !== "leading") return;
        master.validate(call);
        const done = master.call({ call, principal: undefined, streamId });
        done?.catch((error: unknown) => client.world.note(`${process.name} refuses: ${String(error)}`));
      } catch (error) {
        // Schedulers that have reconnected elsewhere, and frameworks that this master does not know (yet), are refused.
        if (!isTepuiError(error)) client.world.violate("no call throws", String((error as Error).stack));
        client.world.note(`${process.name} refuses a call: ${String(error)}`);
      }
    });
  }

  close(): void {
    if (this.over) return;
    this.events?.close(this.client);
    this.end();
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    this.calls?.close(this.caller);
    this.options.closed(this.leader);
  }
}
