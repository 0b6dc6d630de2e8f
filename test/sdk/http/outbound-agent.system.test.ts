import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { request } from "undici";
import { outboundAgent } from "../../../sdk/http/index.js";

describe("requests to servers elsewhere", () => {
  let seen: string[];
  let proxy: Server;
  let place: string;

  beforeEach(async () => {
    seen = [];
    proxy = createServer(({ method, url, headers }, response) => {
      seen.push(`${method} ${url} for ${headers.host} by ${headers["proxy-authorization"]}`);
      response.end("said the proxy");
    });
    proxy.on("connect", ({ url }, socket) => {
      seen.push(`CONNECT ${url}`);
      socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    place = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  });

  afterEach(() => {
    proxy.closeAllConnections();
    proxy.close();
  });

  async function ask(url: string, environment: NodeJS.ProcessEnv): Promise<string> {
    const dispatcher = await outboundAgent({ stallTimeout: 5000 }, environment);
    try {
      return await (await request(url, { dispatcher })).body.text();
    } catch (error) {
      return `failed: ${String(error)}`;
    } finally {
      await dispatcher.destroy();
    }
  }

  it("go through the proxy that the environment names, in small letters or capitals, with a user or without", async () => {
    expect(await ask("http://files.invalid/a?b", { http_proxy: place })).to.equal("said the proxy");
    await ask("http://files.invalid:81/a", { HTTP_PROXY: `http://jane:s%40@${place}/` });
    await ask("http://files.invalid/", { all_proxy: `http://${place}`, HTTP_PROXY: "" });
    expect(seen).to.deep.equal([
      "GET http://files.invalid/a?b for files.invalid by undefined",
      `GET http://files.invalid:81/a for files.invalid:81 by Basic ${Buffer.from("jane:s@").toString("base64")}`,
      "GET http://files.invalid/ for files.invalid by undefined",
    ]);
  });

  it("are tunnelled for https, but not through a proxy that is named for http alone", async () => {
    const whole = `http://${place}`;
    for (const environment of [{ https_proxy: whole }, { ALL_PROXY: whole }])
      expect(await ask("https://files.invalid/a", environment)).to.match(/^failed: .*502/);
    expect(seen).to.deep.equal(Array(2).fill("CONNECT files.invalid:443"));
    // Nobody speaks TLS there; the proxy is not asked.
    const direct = await ask(`https://127.0.0.2:${new URL(whole).port}/a`, { http_proxy: whole });
    expect(direct)
      .to.match(/^failed: /)
      .and.not.match(/502/);
    expect(await ask("http://files.invalid/a", { http_proxy: whole })).to.equal("said the proxy");
    expect(seen.slice(2)).to.deep.equal(["GET http://files.invalid/a for files.invalid by undefined"]);
  });

  it("go directly where the environment says so, and always to this host", async () => {
    const own = createServer((_request, response) => response.end("said the server"));
    // Of this host, too, and not known for it.
    await new Promise<void>((resolve) => own.listen(0, "127.0.0.2", resolve));
    const url = `http://127.0.0.2:${(own.address() as AddressInfo).port}/`;
    const http_proxy = `http://${place}`;
    try {
      expect(await ask(url, { http_proxy })).to.equal("said the proxy");
      expect(await ask(url, { http_proxy, no_proxy: "other" })).to.equal("said the proxy");
      for (const no_proxy of ["*", "other, 127.0.0.2"])
        expect(await ask(url, { http_proxy, no_proxy })).to.equal("said the server");
      expect(await ask(url, { https_proxy: http_proxy })).to.equal("said the server");
    } finally {
      own.closeAllConnections();
      own.close();
    }
    seen = [];
    await ask(`http://${place}/own`, { http_proxy: "http://192.0.2.1:9" });
    expect(seen).to.deep.equal([`GET /own for ${place} by undefined`]);
  });

  it("fail where the proxy is no address", async () => {
    const refused = await outboundAgent({ stallTimeout: 1 }, { http_proxy: "http://:" }).catch(String);
    expect(refused).to.match(/Invalid URL/);
  });
});
