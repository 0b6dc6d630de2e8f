import { expect } from "chai";
import { RawPeer, type Rig, startServer } from "./support.js";

const MEGABYTE = 1024 * 1024;

/** A call of which the body stays unfinished. */
const head = (length: number): string =>
  `POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;
const chunkedHead = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";

describe("http-server with more than it can take", () => {
  let rig: Rig;
  let opened: RawPeer[];
  let left: number;
  let asked: number;

  const start = async (settings: Parameters<typeof startServer>[1]): Promise<void> => {
    opened = [];
    left = 0;
    asked = 0;
    rig = await startServer((server) => {
      server.take({ matches: () => false, take: () => undefined });
      server.route({
        path: "/echo",
        handle: async (request, reply) => reply.send(200, await request.body()),
      });
      server.route({
        path: "/never",
        handle: (_, reply) => {
          asked++;
          reply.closed.addEventListener("abort", () => left++);
        },
      });
    }, settings);
  };

  const open = async (text: string): Promise<RawPeer> => {
    const peer = await RawPeer.open(rig.server.address.port);
    opened.push(peer);
    if (text !== "") peer.write(text);
    return peer;
  };

  const echo = async (text: string): Promise<string> => {
    const answer = await fetch(`${rig.base}/echo`, { method: "POST", body: text });
    expect(answer.status).to.equal(200);
    return answer.text();
  };

  afterEach(async () => {
    for (const { socket } of opened) socket.destroy();
    await rig.server.stop();
  });

  for (const [kind, first, part] of [
    ["of a length", head(MEGABYTE), Buffer.alloc(MEGABYTE - 1)],
    [
      "in chunks",
      chunkedHead,
      Buffer.concat([Buffer.from("ffff0\r\n"), Buffer.alloc(0xffff0), Buffer.from("\r\n")]),
    ],
  ] as const) {
    it(`cuts off the largest of the bodies ${kind} that are coming in, and answers the others`, async () => {
      await start({ maxReceivingBytes: 8 * MEGABYTE });
      const small = await open(head(6));
      small.write("abc");
      const large = await Promise.all(Array.from({ length: 40 }, () => open(first)));
      for (const peer of large) peer.write(part);
      const closed = (): number => large.filter(({ closed }) => closed).length;
      while (closed() < 32)
        await Promise.race(large.filter((peer) => !peer.closed).map((peer) => peer.untilClosed()));
      expect(await echo("others")).to.equal("others");
      small.write("def");
      await small.until((text) => text.endsWith("abcdef"));
      expect(closed()).to.be.at.most(36);
      const said = rig.logger.messages("warn").filter((text) => text.startsWith("Cut off the largest"));
      expect(said).to.have.length(1);
    });
  }

  it("takes a body together that comes byte by byte", async () => {
    await start({});
    const peer = await open(head(100_000));
    const body = "0123456789".repeat(10_000);
    for (let i = 0; i < 20; i++) await peer.writeSlowly(body[i]!);
    peer.write(body.slice(20));
    const text = await peer.until((all) => all.includes("\r\n\r\n") && all.endsWith(body));
    expect(text).to.match(/^HTTP\/1\.1 200 /);
  });

  for (const [what, text] of [
    ["idle after a call", `${head(1)}x`],
    ["slow with a body", head(10)],
    ["slow with a head", "POST /echo HTTP/1.1\r\nHost"],
    ["idle after a question", "GET /none HTTP/1.1\r\n\r\n"],
  ] as const) {
    it(`makes room for new connections where those that it has are ${what}`, async () => {
      await start({ maxConnections: 10 });
      const peers: RawPeer[] = [];
      for (let i = 0; i < 10; i++) {
        const peer = await open(text);
        peers.push(peer);
        if (what.startsWith("idle")) await peer.until((all) => all.includes("\r\n\r\n"));
      }
      expect(await echo("new")).to.equal("new");
      await Promise.race(peers.map((peer) => peer.untilClosed()));
    });
  }

  it("keeps those of which something is being answered, when it is full", async () => {
    await start({ maxConnections: 3 });
    const peers = await Promise.all(
      [1, 2, 3].map(() => open("POST /never HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")),
    );
    while (asked < 3) await new Promise((resolve) => setImmediate(resolve));
    const refused = await open("");
    await refused.untilClosed();
    expect(peers.some(({ closed }) => closed)).to.equal(false);
  });

  for (const [how, text] of [
    ["a plain call", "POST /never HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"],
    ["any other request", "GET /never HTTP/1.1\r\n\r\n"],
  ] as const) {
    it(`tells who answers ${how} that the client has left, whether it broke off or said good-bye`, async () => {
      await start({ receiveTimeout: 100 });
      const broken = await open(text);
      const polite = await open(text);
      while (asked < 2) await new Promise((resolve) => setImmediate(resolve));
      expect(left).to.equal(0);
      broken.socket.resetAndDestroy();
      while (left < 1) await new Promise((resolve) => setImmediate(resolve));
      polite.socket.end();
      while (left < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    });
  }
});
