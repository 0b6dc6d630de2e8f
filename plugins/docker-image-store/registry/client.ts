import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { Random } from "../../../sdk/contracts/random.js";
import { isTepuiError, messageOf } from "../../../sdk/errors/index.js";
import { pause } from "../../../sdk/time/index.js";
import { type Descriptor, MANIFEST_TYPES } from "../manifest.js";
import { invalid, notFound, pullFailed } from "../refusals.js";
import { Authorization } from "./authorization.js";
import type { Credentials } from "./docker-config.js";
import type { RegistryEndpoint } from "./endpoint.js";
import { bodyOf, type HttpAnswer, type HttpRequest } from "./http.js";

export interface RegistryClientOptions {
  readonly endpoint: RegistryEndpoint;
  readonly credentials: Credentials | undefined;
  readonly request: HttpRequest;
  readonly clock: Clock;
  readonly random: Random;
}

/** Of one request; a transfer that moves on begins to count anew. */
const MAX_ATTEMPTS = 5;
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 10_000;
/** Whoever is told to come back later than that gives up earlier. */
const MAX_ASKED_MS = 60_000;
const MAX_REDIRECTS = 5;
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** The server did not do what it might do next time. */
class Transient extends Error {
  constructor(
    message: string,
    /** Milliseconds that the server asks to wait. */
    readonly after?: number,
  ) {
    super(message);
  }
}

/** It failed, further on than ever before: then the attempts are counted anew. */
class Progress extends Error {
  constructor(override readonly cause: unknown) {
    super(messageOf(cause));
  }
}

/** Reads one repository of a registry of the kind `/v2/`. Rejects with TEPUI_IMAGE_* that name the registry. */
export class RegistryClient {
  private readonly authorization: Authorization;

  constructor(private readonly options: RegistryClientOptions) {
    const { request, clock, credentials, endpoint } = options;
    const secure = endpoint.origin.startsWith("https:");
    this.authorization = new Authorization({ request, clock, credentials, host: endpoint.host, secure });
  }

  /** @param reference tag or digest; what a digest names is checked against it */
  async manifest(reference: string, signal: AbortSignal): Promise<{ digest: string; text: Buffer }> {
    const what = `${this.name}:${reference}`;
    const text = await this.persistently(what, signal, async () => {
      const answer = await this.get(`manifests/${reference}`, { accept: MANIFEST_TYPES.join(", ") }, signal);
      if (answer.status !== 200) throw await this.refusal(answer, what);
      return bodyOf(answer, MAX_MANIFEST_BYTES);
    });
    const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
    if (reference.startsWith("sha256:") && reference !== digest) {
      throw invalid(`the manifest ${what} is damaged: it has the digest ${digest}`);
    }
    return { digest, text };
  }

  /** A small blob, in memory. */
  async blob(descriptor: Descriptor, limit: number, signal: AbortSignal): Promise<Buffer> {
    const what = this.blobName(descriptor);
    if (descriptor.size > limit) throw invalid(`${what} has ${descriptor.size} bytes, more than ${limit}`);
    return this.persistently(what, signal, async () => {
      const answer = await this.get(`blobs/${descriptor.digest}`, {}, signal);
      if (answer.status !== 200) throw await this.refusal(answer, what);
      const data = await bodyOf(answer, descriptor.size);
      if (data.length < descriptor.size) {
        throw new Transient(`the transfer ended after ${data.length} of ${descriptor.size} bytes`);
      }
      check(descriptor, { what, size: data.length, digest: createHash("sha256").update(data).digest("hex") });
      return data;
    });
  }

  /**
   * Downloads a blob into a new file. After a connection that broke it goes on where it stopped. The file holds what its digest says,
   * or the promise rejects.
   */
  async download(descriptor: Descriptor, file: string, signal: AbortSignal): Promise<void> {
    const what = this.blobName(descriptor);
    await using handle = await open(file, "w", 0o600);
    const transfer = new Transfer(descriptor, handle, what);
    let furthest = 0;
    await this.persistently(what, signal, async () => {
      try {
        await this.continue(transfer, signal);
      } catch (error) {
        const moved = transfer.size > furthest;
        furthest = Math.max(furthest, transfer.size);
        throw moved && !isTepuiError(error) ? new Progress(error) : error;
      }
    });
    transfer.finish();
  }

  private get name(): string {
    const { host, repository } = this.options.endpoint;
    return `${host}/${repository}`;
  }

  private blobName({ digest }: Descriptor): string {
    return `the blob ${digest} of ${this.name}`;
  }

  private async continue(transfer: Transfer, signal: AbortSignal): Promise<void> {
    const from = transfer.size;
    const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
    const answer = await this.get(`blobs/${transfer.descriptor.digest}`, headers, signal);
    if (answer.status === 206 && from > 0) {
      const start = /^bytes (\d+)-/.exec(answer.header("content-range") ?? "")?.[1];
      if (Number(start) !== from) {
        answer.body.destroy();
        await transfer.restart();
        throw new Transient(`the registry continues at ${start} where ${from} was asked for`);
      }
    } else if (answer.status === 416 && from > 0) {
      answer.body.destroy();
      await transfer.restart();
      throw new Transient(`the registry does not continue at ${from}`);
    } else if (answer.status === 200) {
      // The server cannot go on in the middle.
      if (from > 0) await transfer.restart();
    } else {
      throw await this.refusal(answer, transfer.what);
    }
    for await (const part of answer.body) await transfer.add(part);
    if (transfer.size < transfer.descriptor.size) {
      throw new Transient(`the transfer ended after ${transfer.size} of ${transfer.descriptor.size} bytes`);
    }
  }

  /** Again and again, with longer and longer pauses, as long as the failures are of a kind that may pass. */
  private async persistently<T>(what: string, signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    const { clock, random } = this.options;
    for (let tries = 1; ; tries++) {
      try {
        return await attempt();
      } catch (error) {
        signal.throwIfAborted();
        if (isTepuiError(error)) throw error;
        const failure = error instanceof Progress ? error.cause : error;
        if (error !== failure) tries = 1;
        if (tries >= MAX_ATTEMPTS) {
          throw pullFailed(`${what}: ${causeOf(failure)} (${tries} attempts)`, failure);
        }
        const asked = failure instanceof Transient ? (failure.after ?? 0) : 0;
        const delay = Math.min(FIRST_DELAY_MS * 2 ** (tries - 1) * (0.5 + random.next()), MAX_DELAY_MS);
        await pause(clock, Math.max(delay, Math.min(asked, MAX_ASKED_MS)), signal);
        signal.throwIfAborted();
      }
    }
  }

  private async get(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    const { origin, repository } = this.options.endpoint;
    const url = new URL(`${origin}/v2/${repository}/${path}`);
    for (let attempt = 0; ; attempt++) {
      const authorization = this.authorization.header();
      const { answer, from } = await this.follow(url, headers, { authorization, signal });
      // Twice: a token may expire between two requests. Somebody else's challenge is not answered: it would name who gets the credentials.
      if (answer.status !== 401 || attempt === 2 || from !== url.origin) return answer;
      answer.body.destroy();
      await this.authorization.answer(answer, {
        sent: authorization,
        scope: `repository:${repository}:pull`,
        signal,
      });
      // The same again would be refused again.
      if (authorization !== undefined && this.authorization.header() === authorization) return answer;
    }
  }

  /** Registries keep blobs elsewhere. Whoever keeps them must not learn what the registry was shown. `from`: the origin that answered. */
  private async follow(
    start: URL,
    headers: Readonly<Record<string, string>>,
    { authorization, signal }: { readonly authorization: string | undefined; readonly signal: AbortSignal },
  ): Promise<{ readonly answer: HttpAnswer; readonly from: string }> {
    let url = start;
    for (let hops = 0; ; hops++) {
      const trusted = url.origin === start.origin && authorization !== undefined;
      const answer = await this.options.request(url, {
        headers: trusted ? { ...headers, authorization } : headers,
        signal,
      });
      const location = answer.header("location");
      if (answer.status < 301 || answer.status > 308 || answer.status === 304 || location === undefined) {
        return { answer, from: url.origin };
      }
      answer.body.destroy();
      if (hops === MAX_REDIRECTS) throw invalid(`${start.origin} redirects more than ${MAX_REDIRECTS} times`);
      const next = new URL(location, url);
      if (!/^https?:$/.test(next.protocol) || (url.protocol === "https:" && next.protocol !== "https:")) {
        throw pullFailed(`${start.origin} redirects to ${next.origin}, which is not encrypted`);
      }
      url = next;
    }
  }

  /** What an answer other than a success means. */
  private async refusal(answer: HttpAnswer, what: string): Promise<Error> {
    const { host } = this.options.endpoint;
    answer.body.destroy();
    const { status } = answer;
    if (status === 404) return notFound(`${what}`);
    if (status === 401 || status === 403) {
      return pullFailed(
        `the registry ${host} refuses access to ${what} (status ${status}): it does not exist, or --docker_config lacks the credentials`,
      );
    }
    if (status === 429 || status >= 500) {
      const after = waitOf(answer.header("retry-after") ?? "", this.options.clock.now());
      return new Transient(`the registry answers with status ${status}`, after);
    }
    return pullFailed(`${what}: the registry answers with status ${status}`);
  }
}

/** `Retry-After` is seconds or a date; undefined where it is neither. */
function waitOf(value: string, now: number): number | undefined {
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(wait) ? wait : undefined;
}

/** A blob on its way into a file, measured as it comes. */
class Transfer {
  size = 0;
  private hash = createHash("sha256");

  constructor(
    readonly descriptor: Descriptor,
    private readonly handle: FileHandle,
    readonly what: string,
  ) {}

  async add(part: Buffer): Promise<void> {
    if (this.size + part.length > this.descriptor.size) {
      throw invalid(`${this.what} is larger than its manifest says (${this.descriptor.size} bytes)`);
    }
    try {
      for (let written = 0; written < part.length; ) {
        const left = part.length - written;
        written += (await this.handle.write(part, written, left, this.size + written)).bytesWritten;
      }
    } catch (error) {
      throw pullFailed(`${this.what} cannot be stored: ${messageOf(error)}`, error);
    }
    this.hash.update(part);
    this.size += part.length;
  }

  async restart(): Promise<void> {
    await this.handle.truncate(0);
    this.hash = createHash("sha256");
    this.size = 0;
  }

  finish(): void {
    check(this.descriptor, { what: this.what, size: this.size, digest: this.hash.digest("hex") });
  }
}

function check(
  descriptor: Descriptor,
  { what, size, digest }: { readonly what: string; readonly size: number; readonly digest: string },
): void {
  if (`sha256:${digest}` === descriptor.digest && size === descriptor.size) return;
  throw invalid(`${what} is damaged: it has ${size} bytes and the digest sha256:${digest}`);
}

/** Network errors hide what is the matter in their cause. */
function causeOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (inner instanceof AggregateError && inner.errors.length > 0) return messageOf(inner.errors[0]);
  return messageOf(inner);
}
