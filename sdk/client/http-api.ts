import type { Client, Dispatcher } from "undici";
import { RecordDecoder, RecordError } from "../recordio/index.js";
import { addressText, type DaemonAddress, parseAddress } from "./address.js";
import {
  AuthenticationError,
  CallRefusedError,
  ForbiddenError,
  NotLeaderError,
  ProtocolError,
  UnavailableError,
  UnreachableError,
} from "./errors.js";

/** Of an error's body; what is longer is no text for people. */
const MAX_ERROR_TEXT_BYTES = 64 * 1024;

export interface HttpApiOptions {
  readonly address: DaemonAddress;
  /** `/api/v1/scheduler`. */
  readonly path: string;
  /** Sent with every request: content type, credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** Path of a unix socket to connect to in place of the address. */
  readonly socketPath?: string | undefined;
  /** Of `https` addresses, as for `tls.connect`. */
  readonly tls?: TlsOptions | undefined;
  /** Milliseconds to make a connection, and milliseconds to wait for the first answer on it. */
  readonly timeout: number;
}

export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Default true. */
  readonly rejectUnauthorized?: boolean;
}

export interface RecordStream {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /**
   * The records, in order. Ends when the peer ends the stream; throws UnreachableError when the connection breaks, ProtocolError
   * when what comes is no records.
   */
  readonly records: AsyncIterable<Uint8Array>;
}

/**
 * One daemon's streaming API over HTTP/1.1: a connection for the stream of records and a second one for calls, which
 * wait for each other so that they arrive in the order in which they were made.
 */
export class HttpApi {
  private constructor(
    private readonly options: HttpApiOptions,
    private readonly stream: Client,
    private readonly calls: Client,
  ) {}

  /** Connects to nothing yet. */
  static async create(options: HttpApiOptions): Promise<HttpApi> {
    const undici = await import("undici");
    const { address, timeout } = options;
    const client = (): Client =>
      new undici.Client(`${address.protocol}//${addressText(address)}`, {
        pipelining: 1,
        // A stream may be silent for as long as it likes: silence is judged by the API's own heartbeats.
        bodyTimeout: 0,
        headersTimeout: timeout,
        connect: {
          ...options.tls,
          ...(options.socketPath === undefined ? {} : { socketPath: options.socketPath }),
          timeout,
        },
      });
    return new HttpApi(options, client(), client());
  }

  /**
   * Sends the call that opens the stream. Aborting ends the stream, also later.
   *
   * @throws one of the client errors, by the status of the answer
   */
  async open(body: Uint8Array, signal: AbortSignal): Promise<RecordStream> {
    const response = await this.request(this.stream, { body, signal });
    if (response.statusCode !== 200) throw await this.refusal(response);
    return { headers: flatten(response.headers), records: this.read(response.body) };
  }

  /** Sends one call; 200 and 202 are acceptance. */
  async post(body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<void> {
    const response = await this.request(this.calls, { body, headers });
    if (response.statusCode === 202 || response.statusCode === 200) return response.body.dump();
    throw await this.refusal(response);
  }

  /** Ends the stream and, once those under way are answered, the calls. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.stream.destroy(), this.calls.closed ? undefined : this.calls.close()]);
  }

  private async request(
    client: Client,
    {
      body,
      headers,
      signal,
    }: { body: Uint8Array; headers?: Readonly<Record<string, string>>; signal?: AbortSignal },
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await client.request({
        method: "POST",
        path: `${this.options.address.prefix}${this.options.path}`,
        headers: { ...this.options.headers, ...headers },
        body,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      throw this.unreachable(error);
    }
  }

  private async *read(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const decoder = new RecordDecoder();
    const chunks = body[Symbol.asyncIterator]();
    try {
      for (;;) {
        const chunk = await chunks.next().catch((error: unknown) => {
          throw this.unreachable(error);
        });
        if (chunk.done === true) break;
        yield* this.cut(decoder, chunk.value);
      }
    } finally {
      await chunks.return?.();
    }
    if (!decoder.atBoundary) throw new UnreachableError(`${this.where} ended the stream within a record`);
  }

  private cut(decoder: RecordDecoder, chunk: Uint8Array): Uint8Array[] {
    try {
      return decoder.push(chunk);
    } catch (error) {
      throw error instanceof RecordError
        ? new ProtocolError(`${this.where}: ${error.message}`, { cause: error })
        : error;
    }
  }

  private get where(): string {
    return addressText(this.options.address);
  }

  private unreachable(error: unknown): UnreachableError {
    return new UnreachableError(`${this.where}: ${reasonOf(error)}`, { cause: error });
  }

  private async refusal(response: Dispatcher.ResponseData): Promise<Error> {
    const text = await bodyText(response);
    const status = response.statusCode;
    if (status === 307) return new NotLeaderError(leaderOf(flatten(response.headers).location));
    // Mesos answers 404 for as long as a starting master has not set up its routes.
    if (status === 503 || status === 404 || status >= 500)
      return new UnavailableError(
        `${this.where} answered ${status}${text === "" ? "" : `: ${text.replace(/\.$/, "")}`}${status === 404 ? "; is it a master?" : ""}`,
      );
    if (status === 401) return new AuthenticationError(text || `${this.where} answered 401`);
    if (status === 403) return new ForbiddenError(text || `${this.where} answered 403`);
    if (status >= 400) return new CallRefusedError(text || `${this.where} answered ${status}`, status);
    return new ProtocolError(`${this.where} answered ${status}`);
  }
}

/** Mesos redirects with a URL relative to the protocol: `//host:5050/api/v1/scheduler`. */
function leaderOf(location: string | undefined): string | undefined {
  if (location === undefined) return undefined;
  const base = /^(?:(https?:)?\/\/)([^/]+)/.exec(location);
  if (base === null) return undefined;
  const { protocol, host, port } = parseAddress(`${base[1] ?? "http:"}//${base[2]}`, 5050);
  return base[1] === undefined ? `${host}:${port}` : `${protocol}//${host}:${port}`;
}

async function bodyText(response: Dispatcher.ResponseData): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_ERROR_TEXT_BYTES) break;
    }
  } catch {
    // The status already says what matters; a text that is cut off is left as it is.
  }
  return Buffer.concat(chunks).toString("utf8", 0, MAX_ERROR_TEXT_BYTES).trim();
}

function flatten(headers: Dispatcher.ResponseData["headers"]): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value[0] : value,
    ]),
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection broke",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  ENOTFOUND: "unknown host name",
  EAI_AGAIN: "the host name cannot be looked up now",
  EPIPE: "the connection broke",
  UND_ERR_ABORTED: "closed by this side",
  UND_ERR_CLOSED: "closed by this side",
  UND_ERR_DESTROYED: "closed by this side",
  UND_ERR_CONNECT_TIMEOUT: "no connection in time",
  UND_ERR_HEADERS_TIMEOUT: "no answer in time",
  UND_ERR_SOCKET: "the connection broke",
};

/** Why a connection or a request failed, in words for people. */
export function reasonOf(error: unknown): string {
  const { code, message, name } = error as { code?: unknown; message?: unknown; name?: unknown };
  if (name === "AbortError") return "closed by this side";
  // What a gRPC port sends, for one, is not HTTP/1.1; not every parser gives a code.
  if (name === "HTTPParserError" || String(code).startsWith("HPE_"))
    return "no HTTP/1.1 is spoken there; is it the right port?";
  // Several addresses of one name were tried: node reports the last code and no message.
  return (typeof code === "string" ? REASONS[code] : undefined) ?? String(message || code || error);
}
