/**
 * The messages of `proto/` in both their forms, by full name.
 *
 *     wire("mesos.v1.scheduler.Event").encode(event)         Uint8Array
 *     wire("mesos.v1.scheduler.Call").decode(bytes)          Call; throws WireError
 *     jsonOf("mesos.v1.scheduler.Event").write(event)        text
 *     jsonOf("mesos.v1.scheduler.Call").read(text)           Call; throws JsonSyntaxError, JsonCodecError
 *     missingRequired("mesos.v1.Offer", offer)               ["id", "resources[0].name"]
 *
 * Names are checked and typed at compile time; `isMessageName` admits one that came at run time.
 * This module loads every package but those of gRPC services, which a daemon does not need, and would wait for at its start. So
 * it is for tests; all else has the same codecs from their own package, and the rest from errors.js and text.js beside this file:
 *
 *     import { Call, Event } from ".../proto/gen/json/mesos/v1/scheduler/scheduler.js";    Call.json.read(text)
 *
 * The JSON is Mesos's own form, not proto3's.
 * Written: names as in the schema, in the order of declaration; enums by name (a number without a name is left out); bytes in
 * base64; 64-bit integers as bare numbers; doubles always with a fraction ("15.0"), infinities and NaN as strings; an unset
 * field that has an explicit default and is not deprecated, with that default; no empty lists or maps, except in the
 * operator answers GET_AGENTS, GET_EXECUTORS, GET_FRAMEWORKS, GET_METRICS, GET_TASKS and what contains them.
 * Read: unknown keys are ignored; null is absent; a bare value where a list is expected is a list of one; numbers and booleans
 * may be strings; an integer may have a zero fraction; an unknown enum name in a field that is not required is absent; of a
 * oneof the last one given stays. Anything else is an error that names the field, and then so are missing required fields.
 */
import { codecs, type MessageTypes } from "../gen/json/registry.js";
import type { JsonCodec, MessageCodec } from "./codec.js";

export type { JsonCodec, MessageCodec } from "./codec.js";
export { JsonCodecError, JsonSyntaxError, WireError } from "./errors.js";
export { parseJson } from "./text.js";
export type { MessageTypes };

/** Full name of a message type, as in `mesos.v1.scheduler.Event`. */
export type MessageName = keyof MessageTypes;

const byName: ReadonlyMap<string, MessageCodec<unknown>> = new Map(
  codecs.map((codec) => [codec.name, codec]),
);

/** The names of all message types. */
export const messageNames: readonly MessageName[] = [...byName.keys()] as MessageName[];

/** Is `name` the full name of a message type we have? */
export function isMessageName(name: string): name is MessageName {
  return byName.has(name);
}

/** The codec of a message type. */
export function wire<N extends MessageName>(name: N): MessageCodec<MessageTypes[N]> {
  const codec = byName.get(name);
  if (codec === undefined) throw new Error(`no message type ${name}`);
  return codec as MessageCodec<MessageTypes[N]>;
}

/** The JSON codec of a message type. */
export function jsonOf<N extends MessageName>(name: N): JsonCodec<MessageTypes[N]> {
  return wire(name).json;
}

/** The paths of the required fields that `message` lacks; empty when it is complete. */
export function missingRequired<N extends MessageName>(name: N, message: MessageTypes[N]): string[] {
  return wire(name).missingRequired(message);
}
