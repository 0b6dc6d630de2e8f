import { outboundAgent } from "../../../sdk/http/index.js";
/** An answer of a server, its body not read yet. */
export interface HttpAnswer {
  readonly status: number;
  /** By name in lower case; of a repeated one the values joined by commas. */
  readonly header: (name: string) => string | undefined;
  /** Must be read or destroyed. */
  readonly body: AsyncIterable<Buffer> & { destroy(): void };
}

export interface HttpQuestion {
  readonly method?: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** One request, without following where an answer points to. Rejects when there is no answer, or none in time. */
export type HttpRequest = (url: URL, question: HttpQuestion) => Promise<HttpAnswer>;

/**
 * Requests over undici.
 *
 * @param stallTimeout milliseconds without a byte after which a request fails
 */
export async function undiciRequests(stallTimeout: number): Promise<{
  readonly request: HttpRequest;
  readonly close: () => Promise<void>;
}> {
  const { request } = await import("undici");
  // A registry is asked for a few blobs at once; more connections would only share the line.
  const agent = await outboundAgent({ stallTimeout, connections: 8 });
  return {
    request: async (url, { method = "GET", headers, body, signal }) => {
      const answer = await request(url, {
        dispatcher: agent,
        headersTimeout: stallTimeout,
        bodyTimeout: stallTimeout,
        method,
        headers: { "user-agent": "tepui", ...headers },
        signal,
        ...(body !== undefined && { body }),
      });
      // Told to whoever reads; where nobody does any more it is of no interest.
      answer.body.on("error", () => undefined);
      return {
        status: answer.statusCode,
        header: (name) => {
          const value = answer.headers[name];
          return Array.isArray(value) ? value.join(", ") : value;
        },
        body: answer.body,
      };
    },
    close: () => agent.destroy(),
  };
}

/** The whole body, up to a limit. */
export async function bodyOf(answer: HttpAnswer, maxBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of answer.body) {
    size += part.length;
    if (size > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
