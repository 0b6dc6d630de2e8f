import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Dispatcher } from "undici";
import type { Fetcher, FetchRequest, FetchSource } from "../../sdk/contracts/fetcher.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import { outboundAgent } from "../../sdk/http/index.js";

/** As many as curl follows before it gives up, which is what Mesos uses. */
const MAX_REDIRECTS = 50;

/** Downloads over http and https, following redirects. Only an answer of 200 is a success. */
export class HttpFetcher implements Fetcher {
  fetch(request: FetchRequest): Promise<void> {
    const { destination, signal } = request;
    return answer(request, "GET", ({ body }) =>
      pipeline(body, createWriteStream(destination, { mode: 0o600 }), { signal }),
    );
  }

  size(source: FetchSource): Promise<number> {
    return answer(source, "HEAD", async ({ headers, body }) => {
      await body.dump();
      const length = headers["content-length"];
      if (typeof length !== "string" || !/^\d+$/.test(length))
        throw new Error("the server does not tell the size");
      return Number(length);
    });
  }
}

/** Asks, and lets `take` have the answer if it is a success. */
async function answer<T>(
  { uri, stallTimeout, signal }: FetchSource,
  method: "GET" | "HEAD",
  take: (response: Dispatcher.ResponseData) => Promise<T>,
): Promise<T> {
  const { interceptors, request } = await import("undici");
  let agent: Dispatcher | undefined;
  try {
    agent = await outboundAgent({ stallTimeout });
    const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: MAX_REDIRECTS }));
    const { url, headers } = withoutCredentials(new URL(uri));
    const timeouts = { headersTimeout: stallTimeout, bodyTimeout: stallTimeout };
    const response = await request(url, { method, headers, dispatcher, signal, ...timeouts });
    if (response.statusCode !== 200) {
      await response.body.dump();
      throw new Error(`the server answered with status ${response.statusCode}`);
    }
    return await take(response);
  } catch (error) {
    throw new TepuiError("TEPUI_FETCH_FAILED", { detail: `'${uri}': ${messageOf(error)}`, cause: error });
  } finally {
    // Not close: a broken download must not wait for its connection.
    await agent?.destroy();
  }
}

/** As curl, which Mesos uses: a user and a password in the address are shown to its host. Redirects to another do not carry them on. */
function withoutCredentials(url: URL): { url: URL; headers: { authorization?: string } } {
  const { username, password } = url;
  if (username === "" && password === "") return { url, headers: {} };
  url.username = "";
  url.password = "";
  const pair = Buffer.from(`${decoded(username)}:${decoded(password)}`, "latin1");
  return { url, headers: { authorization: `Basic ${pair.toString("base64")}` } };
}

/** Its bytes, one character each; a percent sign that begins nothing stands for itself. */
const decoded = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
