import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { Agent, request as httpRequest, interceptors } from "undici";
import type { Fetcher, FetchRequest } from "../../sdk/contracts/fetcher.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";

/** As many as curl follows before it gives up, which is what Mesos uses. */
const MAX_REDIRECTS = 50;

/** Downloads over http and https, following redirects. Only an answer of 200 is a success. */
export class HttpFetcher implements Fetcher {
  async fetch({ uri, destination, stallTimeout, signal }: FetchRequest): Promise<void> {
    const agent = new Agent({
      headersTimeout: stallTimeout,
      bodyTimeout: stallTimeout,
      connect: { timeout: stallTimeout },
    });
    const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: MAX_REDIRECTS }));
    try {
      const { statusCode, body } = await httpRequest(uri, { dispatcher, signal });
      if (statusCode !== 200) {
        await body.dump();
        throw new Error(`the server answered with status ${statusCode}`);
      }
      await pipeline(body, createWriteStream(destination, { mode: 0o600 }), { signal });
    } catch (error) {
      throw new TepuiError("TEPUI_FETCH_FAILED", { detail: `'${uri}': ${messageOf(error)}`, cause: error });
    } finally {
      // Not close: a broken download must not wait for its connection.
      await agent.destroy();
    }
  }
}
