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

/** How long an orderly end may take. */
const CLOSE_LIMIT_MS = 1000;

/**
 * Operations on the nodes of an ensemble. All reject with ZooKeeperError; with `connection-loss` at once where there is no connection:
 * a caller goes on when it is told of the next one (`listen`).
 *
 * A watcher is called once, for the first change; it is forgotten when the session expires.
 */
export class ZooKeeperClient {
  private readonly session: Session;

  constructor(private readonly options: SessionOptions) {
    this.session = new Session(options);
  }

  get connected(): boolean {
    return this.session.connected;
  }

  /** 0: there is none. */
  get sessionId(): bigint {
    return this.session.sessionId;
  }

  /** Milliseconds, as the servers granted it. */
  get sessionTimeout(): number {
    return this.session.timeout;
  }

  listen(listener: SessionListener): () => void {
    return this.session.listen(listener);
  }

  /** Connects, and again whenever that is needed. */
  start(): void {
    this.session.start();
  }

  /** Goes on with another server: this one does not do what it should. */
  reconnect(reason: string): void {
    this.session.connection?.end(reason);
  }

  /** Ends the session, so that its ephemeral nodes go at once, where a server can be told in time. Never rejects. */
  async close(): Promise<void> {
    // Where there is no connection, or it breaks, the servers find out by themselves.
    const ended = this.request({ type: OP.close, about: "close", write: () => {}, answer: () => {} }).catch(
      () => {},
    );
    await inTime(this.options.clock, CLOSE_LIMIT_MS, ended);
    this.session.stop();
  }

  /** The path, with the digits that the server appended to a sequential one. */
  create(options: CreateOptions): Promise<string> {
    return this.request({
      type: OP.create,
      about: `create ${options.path}`,
      write: (out) => writeCreate(out, options),
      answer: (body) => body.text(),
    });
  }

  /** Makes the node and those above it where they are missing, without data. */
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

  /** @param version that it must have; any by default */
  delete(path: string, version?: number): Promise<void> {
    return this.request({
      type: OP.delete,
      about: `delete ${path}`,
      write: (out) => writeVersioned(out, path, version),
      answer: () => {},
    });
  }

  /** Undefined where the node does not exist; the watcher is told of its creation as well. */
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

  /** Names of the children, without their path, in no order. */
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

  /** All of the operations take effect, or none does: then it rejects with the error of the one that could not. */
  async multi(operations: readonly MultiOperation[]): Promise<void> {
    const errors = await this.request({
      type: OP.multi,
      about: operations.map(({ kind, path }) => `${kind} ${path}`).join(", "),
      write: (out) => writeMulti(out, operations),
      answer: readMulti,
    });
    // Those that could have been done are answered with -2, or with 0.
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
