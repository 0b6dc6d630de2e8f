import type { JuteReader, JuteWriter } from "../../../sdk/zookeeper/jute.js";
import type { Stat } from "../../../sdk/zookeeper/records.js";
import { OP } from "../../../sdk/zookeeper/records.js";

/** One change that a client requests. */
export interface Asked {
  readonly type: number;
  readonly path: string;
  readonly data: Buffer;
  readonly version: number;
  readonly ephemeral: boolean;
  readonly sequential: boolean;
}

const EMPTY = Buffer.alloc(0);

/** The body of a create, delete, set or check. */
export function readAsked(type: number, reader: JuteReader): Asked {
  const path = reader.text();
  const base = { type, path, data: EMPTY, version: -1, ephemeral: false, sequential: false };
  if (type === OP.create) {
    const data = reader.buffer() ?? EMPTY;
    reader.list((entry) => [entry.int(), entry.text(), entry.text()]);
    const flags = reader.int();
    return { ...base, data, ephemeral: (flags & 1) !== 0, sequential: (flags & 2) !== 0 };
  }
  const data = type === OP.setData ? (reader.buffer() ?? EMPTY) : EMPTY;
  return { ...base, data, version: reader.int() };
}

export function readMultiAsked(reader: JuteReader): Asked[] {
  const asked: Asked[] = [];
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    reader.int();
    if (done) return asked;
    asked.push(readAsked(type, reader));
  }
}

export const writeStat = (writer: JuteWriter, stat: Stat): JuteWriter =>
  writer
    .long(stat.created)
    .long(stat.modified)
    .long(stat.createdTime)
    .long(stat.modifiedTime)
    .int(stat.version)
    .int(stat.childrenVersion)
    .int(stat.accessVersion)
    .long(stat.ephemeralOwner)
    .int(stat.dataLength)
    .int(stat.childCount)
    .long(stat.childrenModified);
