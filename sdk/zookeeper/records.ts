import { type JuteReader, JuteWriter } from "./jute.js";

/** The records of ZooKeeper's client protocol, as servers from 3.4 on speak it. */

export const OP = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  ping: 11,
  getChildren: 12,
  check: 13,
  multi: 14,
  auth: 100,
  setWatches: 101,
  close: -11,
  error: -1,
} as const;

/** Transaction ids with a special meaning. */
export const XID = { event: -1, ping: -2, auth: -4, setWatches: -8 } as const;

/** Permissions of an access list. */
const PERMISSION = { read: 1, all: 31 } as const;

export interface AccessEntry {
  readonly permissions: number;
  readonly scheme: string;
  readonly id: string;
}

const ANYONE = { scheme: "world", id: "anyone" } as const;

/** Anybody may do anything. */
export const OPEN_ACCESS: readonly AccessEntry[] = [{ permissions: PERMISSION.all, ...ANYONE }];

/** Everything for whoever authenticates as the creator did; others may read. */
export const CREATOR_ACCESS: readonly AccessEntry[] = [
  { permissions: PERMISSION.read, ...ANYONE },
  { permissions: PERMISSION.all, scheme: "auth", id: "" },
];

/** Only for whoever authenticates as the creator did. */
export const PRIVATE_ACCESS: readonly AccessEntry[] = [
  { permissions: PERMISSION.all, scheme: "auth", id: "" },
];

/** What a server tells about a node. Times are milliseconds since the epoch. */
export interface Stat {
  readonly created: bigint;
  readonly modified: bigint;
  readonly createdTime: bigint;
  readonly modifiedTime: bigint;
  readonly version: number;
  readonly childrenVersion: number;
  readonly accessVersion: number;
  /** The session that an ephemeral node belongs to; 0 for other nodes. */
  readonly ephemeralOwner: bigint;
  readonly dataLength: number;
  readonly childCount: number;
  readonly childrenModified: bigint;
}

export const readStat = (reader: JuteReader): Stat => ({
  created: reader.long(),
  modified: reader.long(),
  createdTime: reader.long(),
  modifiedTime: reader.long(),
  version: reader.int(),
  childrenVersion: reader.int(),
  accessVersion: reader.int(),
  ephemeralOwner: reader.long(),
  dataLength: reader.int(),
  childCount: reader.int(),
  childrenModified: reader.long(),
});

export interface ConnectRequest {
  readonly lastZxid: bigint;
  /** Milliseconds. */
  readonly timeout: number;
  readonly sessionId: bigint;
  readonly password: Uint8Array;
}

export function connectFrame({ lastZxid, timeout, sessionId, password }: ConnectRequest): Buffer {
  // The last flag refuses a read-only server: one that is cut off from the others.
  return new JuteWriter()
    .int(0)
    .long(lastZxid)
    .int(timeout)
    .long(sessionId)
    .buffer(password)
    .bool(false)
    .frame();
}

export interface ConnectResponse {
  /** Milliseconds, as negotiated; 0: the session has expired. */
  readonly timeout: number;
  readonly sessionId: bigint;
  readonly password: Buffer;
}

export function readConnectResponse(reader: JuteReader): ConnectResponse {
  reader.int();
  return {
    timeout: reader.int(),
    sessionId: reader.long(),
    password: reader.buffer() ?? Buffer.alloc(16),
  };
}

export interface ReplyHeader {
  readonly xid: number;
  /** The last change that this server knows of. */
  readonly zxid: bigint;
  readonly error: number;
}

export const readReplyHeader = (reader: JuteReader): ReplyHeader => ({
  xid: reader.int(),
  zxid: reader.long(),
  error: reader.int(),
});

export type WatchEventType = "created" | "deleted" | "data-changed" | "children-changed" | "other";

export interface WatchEvent {
  readonly type: WatchEventType;
  readonly path: string;
}

const EVENT_TYPES: readonly WatchEventType[] = [
  "other",
  "created",
  "deleted",
  "data-changed",
  "children-changed",
];

export function readWatchEvent(reader: JuteReader): WatchEvent {
  const type = EVENT_TYPES[reader.int()] ?? "other";
  reader.int();
  return { type, path: reader.text() };
}

export const requestOf = (xid: number, type: number): JuteWriter => new JuteWriter().int(xid).int(type);

export interface CreateOptions {
  readonly path: string;
  readonly data: Uint8Array;
  readonly access: readonly AccessEntry[];
  /** Deleted when the session ends. */
  readonly ephemeral?: boolean;
  /** The server appends ten digits that increase. */
  readonly sequential?: boolean;
}

export type MultiOperation =
  | ({ readonly kind: "create" } & CreateOptions)
  | { readonly kind: "delete"; readonly path: string; readonly version?: number }
  | { readonly kind: "set"; readonly path: string; readonly data: Uint8Array; readonly version?: number }
  | { readonly kind: "check"; readonly path: string; readonly version?: number };

/** Matches any version of a node. */
const ANY_VERSION = -1;

export function writeCreate(writer: JuteWriter, options: CreateOptions): void {
  const flags = (options.ephemeral ? 1 : 0) | (options.sequential ? 2 : 0);
  writer
    .text(options.path)
    .buffer(options.data)
    .list(options.access, (out, { permissions, scheme, id }) => out.int(permissions).text(scheme).text(id))
    .int(flags);
}

export const writeVersioned = (writer: JuteWriter, path: string, version?: number): JuteWriter =>
  writer.text(path).int(version ?? ANY_VERSION);

export const writeSet = (
  writer: JuteWriter,
  { path, data, version }: { path: string; data: Uint8Array; version?: number },
): JuteWriter =>
  writer
    .text(path)
    .buffer(data)
    .int(version ?? ANY_VERSION);

export function writeMulti(writer: JuteWriter, operations: readonly MultiOperation[]): void {
  for (const operation of operations) {
    switch (operation.kind) {
      case "create":
        writeCreate(writer.int(OP.create).bool(false).int(-1), operation);
        break;
      case "delete":
        writeVersioned(writer.int(OP.delete).bool(false).int(-1), operation.path, operation.version);
        break;
      case "set":
        writeSet(writer.int(OP.setData).bool(false).int(-1), operation);
        break;
      case "check":
        writeVersioned(writer.int(OP.check).bool(false).int(-1), operation.path, operation.version);
        break;
    }
  }
  writer.int(-1).bool(true).int(-1);
}

/** The outcome of each operation of a multi: error numbers, 0 for none. All operations take effect, or none does. */
export function readMulti(reader: JuteReader): number[] {
  const errors: number[] = [];
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    reader.int();
    if (done) return errors;
    if (type === OP.error) {
      errors.push(reader.int());
      continue;
    }
    if (type === OP.create) reader.text();
    else if (type === OP.setData) readStat(reader);
    errors.push(0);
  }
}
