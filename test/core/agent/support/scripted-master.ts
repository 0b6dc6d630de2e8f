import * as codecs from "../../../../proto/gen/json/mesos/internal/messages.js";
import type { MasterInfo } from "../../../../proto/gen/mesos/v1/mesos.js";
import type { Election } from "../../../../sdk/contracts/election.js";
import type {
  InboundMessage,
  MessageReceiver,
  MessageTransport,
  OutboundMessage,
} from "../../../../sdk/contracts/message-transport.js";

export const MASTER = "master@10.0.0.1:5050";
const AGENT = "10.0.0.2:5051";

type Codecs = typeof codecs;
type MessageNames = {
  [N in keyof Codecs]: Codecs[N] extends { decode(bytes: Uint8Array): unknown } ? N : never;
}[keyof Codecs];
type Body<N extends MessageNames> = Codecs[N] extends { decode(bytes: Uint8Array): infer T } ? T : never;

const codecOf = <N extends MessageNames>(name: N) =>
  // biome-ignore lint/performance/noDynamicNamespaceImportAccess: tests choose messages by name.
  codecs[name] as unknown as { decode(bytes: Uint8Array): Body<N>; encode(body: Body<N>): Uint8Array };

/** Both the election and the transport of an agent under test: what the agent sends is kept, and tests answer as the master. */
export class ScriptedMaster implements MessageTransport, Election {
  readonly sent: { to: string; name: string; body: Uint8Array }[] = [];
  /** Whose connection the agent has given up. */
  readonly resets: (string | undefined)[] = [];
  readonly links: { to: string; exited: () => void }[] = [];
  private receiver: MessageReceiver | undefined;
  private changed: ((leader: MasterInfo | undefined) => void) | undefined;
  private leader: MasterInfo | undefined;

  /** Makes the master at this address the leader; undefined: nobody leads. */
  lead(pid: string | undefined = MASTER): void {
    this.leader =
      pid === undefined
        ? undefined
        : { id: pid, pid, hostname: "master.example", port: 5050, ip: 0, capabilities: [] };
    this.changed?.(this.leader);
  }

  /** As the master (or whoever `from` is) to the agent. */
  say<N extends MessageNames>(name: N, body: Body<N>, from: string = MASTER): void {
    this.deliver({ from, name: `mesos.internal.${name}`, body: codecOf(name).encode(body) });
  }

  deliver(message: InboundMessage): void {
    void this.offer(message);
  }

  /** A promise: the agent asks for no more from there until then. */
  offer(message: InboundMessage): Promise<void> | undefined {
    if (this.receiver === undefined) throw new Error("the agent receives nothing");
    return this.receiver(message) ?? undefined;
  }

  /** The way to everybody is free. */
  room: () => Promise<void> | undefined = () => undefined;

  /** What the agent said under this name, and to whom, oldest first. */
  heard<N extends MessageNames>(name: N, to?: string): Body<N>[] {
    return this.sent
      .filter(
        (message) => message.name === `mesos.internal.${name}` && (to === undefined || message.to === to),
      )
      .map(({ body }) => codecOf(name).decode(body));
  }

  contend(): () => Promise<void> {
    throw new Error("agents do not contend");
  }

  watch(changed: (leader: MasterInfo | undefined) => void): () => void {
    this.changed = changed;
    changed(this.leader);
    return () => {
      this.changed = undefined;
    };
  }

  address(actor: string): string {
    return `${actor}@${AGENT}`;
  }

  receive(_actor: string, receiver: MessageReceiver): () => void {
    this.receiver = receiver;
    return () => {
      this.receiver = undefined;
    };
  }

  send(to: string, { name, body }: OutboundMessage): void {
    this.sent.push({ to, name, body });
  }

  reset(to?: string): void {
    this.resets.push(to);
  }

  link(to: string, exited: () => void): () => void {
    const link = { to, exited };
    this.links.push(link);
    return () => this.links.splice(this.links.indexOf(link), 1);
  }
}
