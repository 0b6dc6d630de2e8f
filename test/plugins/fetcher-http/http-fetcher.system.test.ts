import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { HttpFetcher } from "../../../plugins/fetcher-http/http-fetcher.js";

describe("http fetcher", () => {
  let directory: string;
  let server: Server | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-fetch-"));
  });

  afterEach(async () => {
    server?.closeAllConnections();
    server?.close();
    await rm(directory, { recursive: true });
  });

  async function fetch(
    handler: RequestListener,
    options: { stallTimeout?: number; signal?: AbortSignal; user?: string } = {},
  ) {
    server = createServer(handler);
    await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
    const user = options.user === undefined ? "" : `${options.user}@`;
    const uri = `http://${user}127.0.0.1:${(server.address() as AddressInfo).port}/a`;
    const destination = join(directory, "file");
    const signal = options.signal ?? new AbortController().signal;
    await new HttpFetcher().fetch({ uri, destination, stallTimeout: options.stallTimeout ?? 5000, signal });
    return readFile(destination);
  }

  const refusal = (...args: Parameters<typeof fetch>): Promise<string> =>
    fetch(...args).then(() => "fetched", String);

  it("downloads a large body", async () => {
    const content = Buffer.alloc(3_000_000, "x");
    expect((await fetch((_request, response) => response.end(content))).equals(content)).to.equal(true);
  });

  it("follows redirects, but not for ever", async () => {
    let hops = 0;
    const body = await fetch((_request, response) => {
      if (hops++ < 5) response.writeHead(302, { location: `/${hops}` }).end();
      else response.end("there");
    });
    expect(body.toString()).to.equal("there");
    server?.close();
    const endless: RequestListener = (request, response) => {
      response.writeHead(302, { location: `${request.url}x` }).end();
    };
    expect(await refusal(endless)).to.match(/Failed to fetch: .*(302|redirect)/i);
  });

  it("shows a user and a password in the address to its host, and to nobody that it is sent on to", async () => {
    const shown: unknown[] = [];
    const elsewhere = createServer((request, response) => {
      shown.push(request.headers.authorization);
      response.end("there");
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = elsewhere.address() as AddressInfo;
      const body = await fetch(
        (request, response) => {
          shown.push(request.url, request.headers.authorization);
          response.writeHead(302, { location: `http://127.0.0.1:${port}/b` }).end();
        },
        { user: "ja%40ne:s%zz%20:" },
      );
      expect(body.toString()).to.equal("there");
      const pair = Buffer.from("ja@ne:s%zz :").toString("base64");
      expect(shown).to.deep.equal(["/a", `Basic ${pair}`, undefined]);
    } finally {
      elsewhere.close();
    }
  });

  it("goes through the proxy of the agent's environment", async () => {
    const proxy = createServer(({ url }, response) => response.end(url));
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const before = process.env.http_proxy;
    process.env.http_proxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      const request = { uri: "http://files.invalid/a", destination: join(directory, "file") };
      await new HttpFetcher().fetch({ ...request, stallTimeout: 5000, signal: new AbortController().signal });
      expect(await readFile(request.destination, "utf8")).to.equal("http://files.invalid/a");
    } finally {
      if (before === undefined) delete process.env.http_proxy;
      else process.env.http_proxy = before;
      proxy.close();
    }
  });

  it("takes only 200 for a success", async () => {
    expect(await refusal((_request, response) => response.writeHead(204).end())).to.match(/status 204/);
  });

  it("gives up when nothing more comes", async () => {
    const stall: RequestListener = (_request, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("x");
    };
    expect(await refusal(stall, { stallTimeout: 100 })).to.match(/Failed to fetch: .*[Tt]imeout/);
  });

  it("does not take half a body for the whole", async () => {
    const cut: RequestListener = (_request, response) => {
      response.writeHead(200, { "content-length": "10" });
      response.write("x", () => response.destroy());
    };
    expect(await refusal(cut)).to.match(/Failed to fetch/);
  });

  it("stops when it is told to", async () => {
    const abort = new AbortController();
    const hang: RequestListener = () => abort.abort();
    expect(await refusal(hang, { signal: abort.signal })).to.match(/Failed to fetch.*abort/i);
  });

  it("says that nobody listens", async () => {
    const request = { uri: "http://127.0.0.1:1/a", destination: join(directory, "x"), stallTimeout: 1000 };
    const text = await new HttpFetcher()
      .fetch({ ...request, signal: new AbortController().signal })
      .then(String, String);
    expect(text).to.match(/Failed to fetch: 'http:\/\/127.0.0.1:1\/a': .*ECONNREFUSED/);
  });
});
