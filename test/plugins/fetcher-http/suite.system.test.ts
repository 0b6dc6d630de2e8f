import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { HttpFetcher } from "../../../plugins/fetcher-http/http-fetcher.js";
import { fetcherSuite } from "../../../sdk/testing/fetcher-suite.js";

describe("http fetcher, by the suite", () => {
  const suite = fetcherSuite(async () => {
    let offered: Buffer | undefined;
    const server = createServer((request, response) => {
      if (request.url === "/offered") response.end(offered);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return {
      fetcher: new HttpFetcher(),
      offer: async (content) => {
        offered = content;
        return `${base}/offered`;
      },
      missing: () => `${base}/missing`,
      close: async () => {
        server.closeAllConnections();
        server.close();
      },
    };
  });
  for (const { name, run } of suite) it(name, run);
});
