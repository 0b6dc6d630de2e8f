import { inTime } from "../time/index.js";
import type { Request } from "./connection.js";
import { isZooKeeperError, ZooKeeperError } from "./errors.js";
import {
  type AccessEntry,
  type CreateOptions,
  type MultiOperation,
  OP,
  readMulti,
  readStat,
  type Stat,
  writeCreate,
  writeMulti,
  writeSet,
  writeVersioned,
} from "./records.js";
import { Session, type SessionListener, type SessionOptions } from "./session.js";
import type { Watcher } from "./watches.js";

export interface NodeData {
  readonly data: Buffer;
  readonly stat: Stat;
}

/** How long an orderly shutdown may take. */
const CLOSE_LIMIT_MS = 1000;

/**
 * Operations on the nodes of an ensemble. All reject with ZooKeeperError; without a connection they reject at once with `connection-loss`,
 * and the caller resumes when it hears of the next connection (`listen`).
 *
 * A watcher is called once, for the first change; it is dropped when the session expires.
 */
export class ZooKeeperClient {
  private readonly session: Session;

  constructor(private readonly options: SessionOptions) {
    this.session = new Session(options);
  }

  get connected(): boolean {
    return this.session.connected;
  }

  /** 0: no session. */
  get sessionId(): bigint {
    return this.session.sessionId;
  }

  /** Milliseconds, as granted by the servers. */
  get sessionTimeout(): number {
    return this.session.timeout;
  }

  listen(listener: SessionListener): () => void {
    return this.session.listen(listener);
  }

  /** Connects, and reconnects whenever necessary. */
  start(): void {
    this.session.start();
  }

  /** Switches to another server because this one misbehaves. */
  reconnect(reason: string): void {
    this.session.connection?.end(reason);
  }

  /** Ends the session if a server can be reached in time, so that its ephemeral nodes disappear at once. Never rejects. */
  async close(): Promise<void> {
    // Without a connection, the servers find out when the session times out.
    const ended = this.request({ type: OP.close, about: "close", write: () => {}, answer: () => {} }).catch(
      () => {},
    );
    await inTime(this.options.clock, CLOSE_LIMIT_MS, ended);
    this.session.stop();
  }

  /** Resolves to the path, including the digits that the server appended to a sequential node. */
  create(options: CreateOptions): Promise<string> {
    return this.request({
      type: OP.create,
      about: `create ${options.path}`,
      write: (out) => writeCreate(out, options),
      answer: (body) => body.text(),
    });
  }

  /** Creates the node and its missing parents, without data. */
  async createPath(path: string, access: readonly AccessEntry[]): Promise<void> {
    const data = Buffer.alloc(0);
    try {
      await this.create({ path, data, access });
    } catch (error) {
      if (isZooKeeperError(error, "node-exists")) return;
      if (!isZooKeeperError(error, "no-node")) throw error;
      await this.createPath(path.slice(0, path.lastIndexOf("/")), access);
      await this.createPath(path, access);
    }
  }

  /** @param version the version that the node must have; default: any */
  delete(path: string, version?: number): Promise<void> {
    return this.request({
      type: OP.delete,
      about: `delete ${path}`,
      write: (out) => writeVersioned(out, path, version),
      answer: () => {},
    });
  }

  /** Undefined if the node does not exist; the watcher then hears of its creation. */
  exists(path: string, watcher?: Watcher): Promise<Stat | undefined> {
    return this.request<Stat | undefined>({
      type: OP.exists,
      about: `exists ${path}`,
      write: (out) => out.text(path).bool(watcher !== undefined),
      answer: (body) => {
        this.watch("data", path, watcher);
        return readStat(body);
      },
      absent: () => {
        this.watch("exists", path, watcher);
        return undefined;
      },
    });
  }

  getData(path: string, watcher?: Watcher): Promise<NodeData> {
    return this.request({
      type: OP.getData,
      about: `get ${path}`,
      write: (out) => out.text(path).bool(watcher !== undefined),
      answer: (body) => {
        this.watch("data", path, watcher);
        return { data: body.buffer() ?? Buffer.alloc(0), stat: readStat(body) };
      },
    });
  }

  /** Names of the children, without the parent's path, in no particular order. */
  getChildren(path: string, watcher?: Watcher): Promise<string[]> {
    return this.request({
      type: OP.getChildren,
      about: `list ${path}`,
      write: (out) => out.text(path).bool(watcher !== undefined),
      answer: (body) => {
        this.watch("children", path, watcher);
        return body.list((reader) => reader.text());
      },
    });
  }

  setData(options: { path: string; data: Uint8Array; version?: number }): Promise<Stat> {
    return this.request({
      type: OP.setData,
      about: `set ${options.path}`,
      write: (out) => writeSet(out, options),
      answer: readStat,
    });
  }

  /** All of the operations take effect or none does. In that case it rejects with the error of the operation that failed. */
  async multi(operations: readonly MultiOperation[]): Promise<void> {
    const errors = await this.request({
      type: OP.multi,
      about: operations.map(({ kind, path }) => `${kind} ${path}`).join(", "),
      write: (out) => writeMulti(out, operations),
      answer: readMulti,
    });
    // The server marks the operations that would have succeeded with -2 or 0.
    const cause = errors.findIndex((error) => error !== 0 && error !== -2);
    const failed = cause >= 0 ? cause : errors.findIndex((error) => error !== 0);
    if (failed < 0) return;
    const { kind, path } = operations[failed] ?? { kind: "multi", path: "" };
    throw ZooKeeperError.ofServer(errors[failed]!, `${kind} ${path}`);
  }

  private watch(kind: "data" | "exists" | "children", path: string, watcher: Watcher | undefined): void {
    if (watcher !== undefined) this.session.watches.add(kind, path, watcher);
  }

  private async request<T>(request: Request<T>): Promise<T> {
    const { connection, connected } = this.session;
    if (connection === undefined || !connected) {
      throw new ZooKeeperError("connection-loss", `${request.about}: there is no connection`);
    }
    return connection.request(request);
  }
}
