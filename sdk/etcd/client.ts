import { readFile } from "node:fs/promises";
import type { Agent } from "undici";
import { z } from "zod";
import { describeServer, type ServerAddress } from "../client/servers-url.js";
import type { Clock } from "../contracts/clock.js";
import { messageOf } from "../errors/index.js";
import { EtcdError, isEtcdError } from "./errors.js";

export interface EtcdClientOptions {
  readonly servers: readonly ServerAddress[];
  readonly secure: boolean;
  /** `user:password` */
  readonly credentials?: string | undefined;
  /** Paths of files in PEM, for `secure`; read at the first request. */
  readonly tls?: EtcdTlsFiles | undefined;
  readonly clock: Clock;
  /** Milliseconds that one server has to answer one request; default 3 s. */
  readonly timeout?: number;
}

/** Certificates that sign those of the servers, and the own certificate with its key. */
export interface EtcdTlsFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface EtcdValue {
  readonly key: string;
  readonly data: Buffer;
  /** Revision of the store at its last change. */
  readonly version: bigint;
}

export type EtcdCompare =
  | { readonly key: string; readonly version: bigint }
  | { readonly key: string; readonly absent: true };

export type EtcdOperation =
  | { readonly kind: "get"; readonly key: string }
  | { readonly kind: "put"; readonly key: string; readonly data: Buffer }
  | { readonly kind: "delete"; readonly key: string };

export interface EtcdTransaction {
  readonly succeeded: boolean;
  /** Of the store after it: the version of what it put. */
  readonly revision: bigint;
  /** One for each operation; undefined: no get, or no such key. */
  readonly values: readonly (EtcdValue | undefined)[];
}

const DEFAULT_TIMEOUT_MS = 3000;

/** A snapshot's part is below 1 MB, 64 entries of half a megabyte in base64 are the most that is asked for at once. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;

const base64 = z.string().transform((text) => Buffer.from(text, "base64"));
const revision = z.string().regex(/^\d+$/).transform(BigInt);
const keyValue = z.object({ key: base64, value: base64.optional(), mod_revision: revision });
const range = z.object({ kvs: z.array(keyValue).optional() });
const transaction = z.object({
  header: z.object({ revision }),
  succeeded: z.boolean().optional(),
  responses: z.array(z.object({ response_range: range.optional() })).optional(),
});
const authenticated = z.object({ token: z.string() });

/**
 * etcd's v3 API through the JSON gateway that every server has. Each request is for one server, and one that cannot answer is passed
 * over for the next; what the majority has to decide is decided before any answers.
 */
export class EtcdClient {
  private agent: Agent | undefined;
  private at = 0;
  private token: string | undefined;
  private closed = false;

  constructor(private readonly options: EtcdClientOptions) {}

  async get(key: string): Promise<EtcdValue | undefined> {
    const answer = await this.ask("/v3/kv/range", { key: encoded(key) }, range);
    return answer.kvs?.map(etcdValue)[0];
  }

  /** The keys that begin with it. */
  async keys(prefix: string): Promise<string[]> {
    const request = { key: encoded(prefix), range_end: after(prefix), keys_only: true };
    const answer = await this.ask("/v3/kv/range", request, range);
    return (answer.kvs ?? []).map(({ key }) => key.toString("utf8"));
  }

  /** Does all operations when all comparisons hold, and none otherwise. At most 128 of each. */
  async transaction(
    compare: readonly EtcdCompare[],
    operations: readonly EtcdOperation[],
  ): Promise<EtcdTransaction> {
    const request = { compare: compare.map(compareJson), success: operations.map(operationJson) };
    const answer = await this.ask("/v3/kv/txn", request, transaction);
    const values = (answer.responses ?? []).map(
      ({ response_range }) => response_range?.kvs?.map(etcdValue)[0],
    );
    return { succeeded: answer.succeeded === true, revision: answer.header.revision, values };
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.agent?.destroy();
  }

  /** Rejects with EtcdError; `unavailable` when no server could answer. */
  private async ask<T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<T> {
    const { servers } = this.options;
    const problems: string[] = [];
    for (let attempt = 0; attempt < servers.length; attempt++) {
      const server = servers[this.at % servers.length]!;
      try {
        return await this.authorized(server, path, body, schema);
      } catch (error) {
        if (!isEtcdError(error, "unavailable") || this.closed) throw error;
        problems.push(`${describeServer(server)}: ${error.message}`);
        this.at++;
      }
    }
    throw new EtcdError("unavailable", problems.join("; "));
  }

  private async authorized<T>(
    ...[server, path, body, schema]: [ServerAddress, string, unknown, z.ZodType<T>]
  ): Promise<T> {
    if (this.options.credentials === undefined) return this.post(server, { path, body, schema });
    const fresh = this.token === undefined;
    this.token ??= await this.authenticate(server, this.options.credentials);
    try {
      return await this.post(server, { path, body, schema, token: this.token });
    } catch (error) {
      if (!isEtcdError(error, "token")) throw error;
      this.token = undefined;
      if (fresh) throw new EtcdError("unavailable", error.message);
      return this.authorized(server, path, body, schema);
    }
  }

  private async authenticate(server: ServerAddress, credentials: string): Promise<string> {
    const colon = credentials.indexOf(":");
    const body = { name: credentials.slice(0, colon), password: credentials.slice(colon + 1) };
    const path = "/v3/auth/authenticate";
    return (await this.post(server, { path, body, schema: authenticated })).token;
  }

  private async post<T>(
    server: ServerAddress,
    question: { path: string; body: unknown; schema: z.ZodType<T>; token?: string },
  ): Promise<T> {
    const { secure, clock, timeout = DEFAULT_TIMEOUT_MS } = this.options;
    const { path, body, schema, token } = question;
    const dispatcher = await this.connections();
    const late = new AbortController();
    const timer = clock.setTimeout(() => late.abort(new Error(`no answer within ${timeout} ms`)), timeout);
    let status: number;
    let text: string;
    try {
      const { request } = await import("undici");
      const answer = await request(`${secure ? "https" : "http"}://${describeServer(server)}${path}`, {
        dispatcher,
        method: "POST",
        headers: { "content-type": "application/json", ...(token !== undefined && { authorization: token }) },
        body: JSON.stringify(body),
        signal: late.signal,
      });
      status = answer.statusCode;
      text = await answer.body.text();
    } catch (error) {
      throw new EtcdError("unavailable", messageOf(late.signal.aborted ? late.signal.reason : error), {
        cause: error,
      });
    } finally {
      timer.cancel();
    }
    if (status !== 200) throw EtcdError.ofAnswer(status, text);
    const read = schema.safeParse(parsed(text));
    if (read.success) return read.data;
    throw new EtcdError("failed", `${describeServer(server)} does not answer as etcd does`);
  }

  private async connections(): Promise<Agent> {
    const { secure, tls } = this.options;
    if (this.agent === undefined) {
      const connect = secure ? await read(tls ?? {}) : undefined;
      const { Agent } = await import("undici");
      this.agent ??= new Agent({
        connections: 4,
        maxResponseSize: MAX_ANSWER_BYTES,
        ...(connect !== undefined && { connect }),
      });
    }
    if (this.closed) throw new Error("the client is closed");
    return this.agent;
  }
}

async function read(files: EtcdTlsFiles): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [name, path] of Object.entries(files)) {
    if (path !== undefined) texts[name] = await readFile(path, "utf8");
  }
  return texts;
}

const encoded = (key: string): string => Buffer.from(key, "utf8").toString("base64");

/** The first key after all that begin so; the last byte of a path's character is never 255. */
function after(prefix: string): string {
  const bytes = Buffer.from(prefix, "utf8");
  bytes[bytes.length - 1]! += 1;
  return bytes.toString("base64");
}

const etcdValue = ({ key, value, mod_revision }: z.output<typeof keyValue>): EtcdValue => ({
  key: key.toString("utf8"),
  data: value ?? Buffer.alloc(0),
  version: mod_revision,
});

function compareJson(compare: EtcdCompare): unknown {
  const key = encoded(compare.key);
  return "version" in compare
    ? { key, result: "EQUAL", target: "MOD", mod_revision: compare.version.toString() }
    : { key, result: "EQUAL", target: "CREATE", create_revision: "0" };
}

function operationJson(operation: EtcdOperation): unknown {
  const key = encoded(operation.key);
  switch (operation.kind) {
    case "get":
      return { request_range: { key } };
    case "put":
      return { request_put: { key, value: operation.data.toString("base64") } };
    case "delete":
      return { request_delete_range: { key } };
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
