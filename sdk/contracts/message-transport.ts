import { extensionPoint } from "../plugin/extension-point.js";

/**
 * Receives messages addressed to one actor. `body` is valid only during the call: copy what must outlive it. With a promise it asks that no
 * more be read from where the message came until that settles; what was read already may still come. It must not reject.
 */
export type MessageReceiver = (message: InboundMessage) => Promise<void> | undefined | void;

export interface InboundMessage {
  /** Sender's address, `id@ip:port`. */
  readonly from: string;
  /** Protobuf full name, e.g. `mesos.internal.RegisterSlaveMessage`. */
  readonly name: string;
  /** Binary protobuf. */
  readonly body: Uint8Array;
}

export interface OutboundMessage {
  /** Id of the local actor that sends, e.g. `master`. */
  readonly from: string;
  readonly name: string;
  readonly body: Uint8Array;
}

/**
 * Carries the daemons' own messages between actors. An actor's address is Mesos's UPID, `id@ip:port`.
 * Delivery is at most once and ordered per pair of addresses; a failed delivery is silent, a broken connection shows through `link`.
 */
export interface MessageTransport {
  /** The address of a local actor. Valid once the transport has started. */
  address(actor: string): string;
  /**
   * Makes a local actor reachable; returns the undo. Messages for unknown actors are refused (404 in libprocess). Throws when
   * there is an actor of this id already.
   */
  receive(actor: string, receiver: MessageReceiver): () => void;
  send(to: string, message: OutboundMessage): void;
  /**
   * Where much of what was sent to an address has yet to leave: resolves when it has, or is lost. Undefined: send on. Absent: nothing ever
   * waits for long.
   */
  room?(to: string): Promise<void> | undefined;
  /**
   * Calls `exited` once when the connection to `to` breaks or cannot be made, or a local actor is not there or taken back; never
   * from within this call. Returns the undo.
   */
  link(to: string, exited: () => void): () => void;
  /**
   * Breaks every connection that was made from here, or the one to the peer of this address, and loses what is still under way in them, as the
   * death of the process would: who sent it does not stand by it any more. What is sent later goes over new ones. Absent: nothing is ever
   * under way for long.
   */
  reset?(to?: string): void;
}

export const MessageTransport = extensionPoint<MessageTransport, "one">("tepui.message-transport", {
  version: "1.0",
  cardinality: "one",
});
