import { createServer, type Socket } from "node:net";
import { gunzipSync } from "node:zlib";
import { expect } from "chai";
import type { ConnectionTaker } from "../../../sdk/contracts/http-server.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { count, RawPeer, type Rig, startServer } from "./support.js";

describe("http-server over loopback", () => {
  let rig: Rig;
  const pending: (() => void)[] = [];
  const big = JSON.stringify({ text: "x".repeat(5000) });
  const taker: ConnectionTaker = {
    matches: (head) => (head.length < 4 ? undefined : head.subarray(0, 4).toString() === "BIN "),
    take: (socket: Socket, head, giveBack) => {
      if (head.includes("\n")) return giveBack(head.subarray(head.indexOf("\n") + 1));
      socket.end("taken");
    },
  };

  before(async () => {
    rig = await startServer((server) => {
      server.take(taker);
      server.route({ path: "/state", handle: (_, reply) => reply.json('{"a":1}') });
      server.route({ path: "/big", handle: (_, reply) => reply.json(big) });
      server.route({
        path: "/post",
        methods: ["POST"],
        handle: async (request, reply) => {
          reply.send(
            202,
            `${(await request.body()).length} ${request.path} ${request.rest} ${request.query.get("q")}`,
          );
        },
      });
      server.route({
        path: "/headers",
        handle: ({ headers }, reply) => {
          const { accept, authorization, cookie } = headers;
          reply.json(
            JSON.stringify([accept, headers["content-type"], authorization, cookie, headers["x-two"]]),
          );
        },
      });
      server.route({ path: "/post/exact", exact: true, handle: (_, reply) => reply.send(200, "exact") });
      server.route({
        path: "/invalid",
        handle: () => {
          throw new TepuiError("TEPUI_CALL_INVALID", { detail: "Framework cannot be found" });
        },
      });
      server.route({
        path: "/broken",
        handle: async () => {
          throw new Error("boom");
        },
      });
      server.route({
        path: "/slow",
        handle: (_, reply) => {
          pending.push(() => reply.send(200, "s"));
        },
      });
      server.route({
        path: "/later",
        handle: (_, reply) => {
          reply.stream(200, {}, () => {}).write([Buffer.from("begun")]);
        },
      });
    });
  });

  after(() => rig.server.stop());

  it("answers under every prefix, with Mesos's headers", async () => {
    for (const path of [
      "/state",
      "/master/state",
      "/state/",
      "//state",
      "/state/anything?x=1",
      "/%6daster/state",
    ]) {
      const response = await fetch(rig.base + path);
      expect(response.status, path).to.equal(200);
      expect(await response.text()).to.equal('{"a":1}');
    }
    const peer = await RawPeer.open(rig.server.address.port);
    peer.write("GET /state HTTP/1.1\r\n\r\n");
    const text = await peer.until((received) => received.endsWith("}"));
    expect(text.replace(/Date: .*GMT/, "Date: D")).to.equal(
      'HTTP/1.1 200 OK\r\nDate: D\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}',
    );
    peer.destroy();
  });

  it("answers as Mesos what it does not serve", async () => {
    const missing = await fetch(`${rig.base}/nothing`);
    expect(missing.status).to.equal(404);
    expect(missing.headers.get("content-type")).to.equal("text/plain; charset=utf-8");
    expect(await missing.text()).to.equal("404 Not Found.");
    expect((await fetch(`${rig.base}/post/exact/more`)).status).to.equal(404);
    const method = await fetch(`${rig.base}/post`);
    expect(method.status).to.equal(405);
    expect(method.headers.get("allow")).to.equal("POST");
    expect(await method.text()).to.equal(
      "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.",
    );
  });

  it("takes any method where a route names none, and sends no body for HEAD", async () => {
    expect(await (await fetch(`${rig.base}/state`, { method: "OPTIONS" })).text()).to.equal('{"a":1}');
    const head = await fetch(`${rig.base}/state`, { method: "HEAD" });
    expect(head.headers.get("content-length")).to.equal("7");
    expect(await head.text()).to.equal("");
  });

  it("hands the body, the rest of the path and the query to the route", async () => {
    const response = await fetch(`${rig.base}/post/a%20b/c?q=1+2`, { method: "POST", body: "12345" });
    expect(response.status).to.equal(202);
    expect(await response.text()).to.equal("5 /post/a b/c a b/c 1 2");
  });

  it("takes the last of a header's lines, as libprocess", async () => {
    const peer = await RawPeer.open(rig.server.address.port);
    // The accept lines are as mesos-go's agent client sends them.
    const lines = [
      "POST /headers HTTP/1.1",
      "Host: localhost:5051",
      "Content-Length: 0",
      "Accept: application/x-protobuf",
      "accept: application/recordio",
      "Content-Type: application/json",
      "Content-Type: application/x-protobuf",
      "Authorization: Basic first",
      "Authorization: Basic last",
      "Cookie: a=1",
      "X-Two: 1, 2",
      "x-two: 3",
    ];
    peer.write(`${lines.join("\r\n")}\r\n\r\n`);
    const expected = ["application/recordio", "application/x-protobuf", "Basic last", "a=1", "3"];
    const text = await peer.until((received) => received.endsWith("]"));
    expect(text.slice(text.indexOf("[")), text).to.equal(JSON.stringify(expected));
    peer.destroy();
  });

  it("turns errors into statuses and survives them", async () => {
    const invalid = await fetch(`${rig.base}/invalid`);
    expect([invalid.status, await invalid.text()]).to.deep.equal([400, "Framework cannot be found"]);
    const broken = await fetch(`${rig.base}/broken`);
    expect(broken.status).to.equal(500);
    expect(rig.logger.messages("error")).to.include("A request failed");
  });

  it("refuses bodies over the limit, announced or not", async () => {
    const announced = await fetch(`${rig.base}/post`, {
      method: "POST",
      body: Buffer.alloc(1024 * 1024 + 1),
    });
    expect(announced.status).to.equal(413);
    const peer = await RawPeer.open(rig.server.address.port);
    peer.write("POST /post HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let i = 0; i < 40; i++) peer.write(`8000\r\n${"x".repeat(0x8000)}\r\n`);
    expect(await peer.untilClosed()).to.match(/^HTTP\/1.1 413 /);
  });

  it("wraps JSON in a callback that is a name, and in nothing else", async () => {
    const wrapped = await fetch(`${rig.base}/state?jsonp=app.cb`);
    expect(wrapped.headers.get("content-type")).to.equal("text/javascript");
    expect(await wrapped.text()).to.equal('app.cb({"a":1})');
    expect((await fetch(`${rig.base}/state?jsonp=alert(1)//`)).status).to.equal(400);
  });

  it("compresses large answers when asked", async () => {
    const peer = await RawPeer.open(rig.server.address.port);
    peer.write("GET /big HTTP/1.0\r\nAccept-Encoding: deflate, gzip\r\n\r\n");
    const text = await peer.untilClosed();
    expect(text).to.contain("Content-Encoding: gzip");
    const body = Buffer.from(text.slice(text.indexOf("\r\n\r\n") + 4), "latin1");
    expect(gunzipSync(body).toString()).to.equal(big);
    const plain = await fetch(`${rig.base}/big`, { headers: { "accept-encoding": "gzip;q=0" } });
    expect(plain.headers.get("content-encoding")).to.equal(null);
  });

  it("lets a taker have its connections, decided over several packets, and give them back", async () => {
    const taken = await RawPeer.open(rig.server.address.port);
    await taken.writeSlowly("BIN ");
    expect(await taken.untilClosed()).to.equal("taken");
    const returned = await RawPeer.open(rig.server.address.port);
    returned.write("BIN \nGET /state HTTP/1.1\r\n\r\nGET /sta");
    await returned.until((text) => count(text, '{"a":1}') === 1);
    returned.write("te HTTP/1.1\r\n\r\n");
    await returned.until((text) => count(text, '{"a":1}') === 2);
    returned.destroy();
  });

  it("reads requests byte by byte", async () => {
    const peer = await RawPeer.open(rig.server.address.port);
    await peer.writeSlowly("POST /post HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
    await peer.until((text) => text.includes("3 /post"));
    peer.destroy();
  });

  it("answers garbage with 400 and closes, and goes on", async () => {
    for (const garbage of [
      "\x00\x01\x02\x03\x04garbage",
      "GET\r\n\r\n",
      "BREW /pot HTTP/1.1\r\n\r\n",
      "GET / HTTP/9.7\r\n\r\n",
    ]) {
      const peer = await RawPeer.open(rig.server.address.port);
      peer.write(garbage);
      expect(await peer.untilClosed(), JSON.stringify(garbage)).to.match(/^HTTP\/1.1 400 Bad Request\r\n/);
    }
    const huge = await RawPeer.open(rig.server.address.port);
    huge.write(`GET / HTTP/1.1\r\nX: ${"y".repeat(100_000)}\r\n\r\n`);
    expect(await huge.untilClosed()).to.match(/^HTTP\/1.1 431 /);
    expect((await fetch(`${rig.base}/state`)).status).to.equal(200);
    const warnings = rig.logger.messages("warn").filter((line) => line.includes("no proper HTTP"));
    expect(warnings.length).to.be.lessThan(5);
  });

  it("bears 20,000 pipelined requests that wait for their answers", async () => {
    const peer = await RawPeer.open(rig.server.address.port);
    const total = 20_000;
    peer.write("GET /slow HTTP/1.1\r\n\r\n".repeat(total));
    let answered = 0;
    let most = 0;
    while (answered < total) {
      most = Math.max(most, pending.length);
      const next = pending.shift();
      if (next === undefined) await new Promise((resolve) => setImmediate(resolve));
      else {
        next();
        answered++;
      }
    }
    await peer.until((text) => count(text, "200 OK") === total);
    expect(most).to.be.lessThan(total / 2);
    peer.destroy();
  }).timeout(60_000);

  it("says who is in the way when the port is taken", async () => {
    const busy = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => busy.once("listening", resolve));
    const { port } = busy.address() as { port: number };
    let failure: unknown;
    await startServer(() => undefined, { port }).catch((error: unknown) => {
      failure = error;
    });
    busy.close();
    expect(failure).to.be.instanceOf(TepuiError);
    expect((failure as TepuiError).message).to.contain(`127.0.0.1:${port} is taken by another process`);
  });

  it("makes room for newcomers when connections are used up by silent ones", async () => {
    const small = await startServer(
      (server) => {
        server.take(taker);
        server.route({ path: "/state", handle: (_, reply) => reply.json("{}") });
      },
      { maxConnections: 3 },
    );
    const silent = await Promise.all([1, 2, 3].map(() => RawPeer.open(small.server.address.port)));
    expect((await fetch(`${small.base}/state`)).status).to.equal(200);
    await Promise.race(silent.map((peer) => peer.untilClosed()));
    await small.server.stop();
  });

  it("stops although streams and idle connections are open", async () => {
    const stopping = await startServer((server) => {
      server.route({
        path: "/later",
        handle: (_, reply) => {
          reply.stream(200, {}, () => {}).write([Buffer.from("begun")]);
        },
      });
      server.route({ path: "/state", handle: (_, reply) => reply.json("{}") });
    });
    const stream = await RawPeer.open(stopping.server.address.port);
    stream.write("GET /later HTTP/1.1\r\n\r\n");
    await stream.until((text) => text.includes("begun"));
    const idle = await RawPeer.open(stopping.server.address.port);
    idle.write("GET /state HTTP/1.1\r\n\r\n");
    await idle.until((text) => text.endsWith("{}"));
    await stopping.server.stop();
    await Promise.all([stream.untilClosed(), idle.untilClosed()]);
  });
});
