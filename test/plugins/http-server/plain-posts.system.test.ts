import { Readable } from "node:stream";
import { expect } from "chai";
import fc from "fast-check";
import type { ReplyStream } from "../../../sdk/contracts/http-server.js";
import { count, RawPeer, type Rig, startServer } from "./support.js";

interface Sent {
  readonly text: string;
  /** Body of the answer. */
  readonly answer: string;
}

const post = (path: string, body: string, more = ""): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;

const chunked = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

/** The bodies of whole answers, by their lengths. */
function bodiesOf(text: string): string[] {
  const bodies: string[] = [];
  let rest = text;
  for (;;) {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) return bodies;
    const length = Number(/content-length: (\d+)/i.exec(rest.slice(0, end))?.[1]);
    if (rest.length < end + 4 + length) return bodies;
    bodies.push(rest.slice(end + 4, end + 4 + length));
    rest = rest.slice(end + 4 + length);
  }
}

describe("http-server with plain POSTs", () => {
  let rig: Rig;
  let held: (() => void)[] = [];
  let stream: ReplyStream | undefined;
  let streamClosed = 0;

  before(async () => {
    rig = await startServer((server) => {
      server.route({
        path: "/echo",
        handle: async (request, reply) => {
          const body = (await request.body()).toString();
          reply.send(200, `${request.method} ${request.path} ${request.query.get("q")} ${body}`);
        },
      });
      server.route({
        path: "/held",
        handle: async (request, reply) => {
          const body = await request.body();
          held.push(() => reply.send(202, body));
        },
      });
      server.route({
        path: "/stream",
        handle: (_, reply) => {
          stream = reply.stream(200, { "Mesos-Stream-Id": "s1" }, () => streamClosed++);
          stream.write([Buffer.from("one"), Buffer.from("two")]);
        },
      });
      server.route({
        path: "/piped",
        handle: async (request, reply) => {
          const announced = Number(request.query.get("announced"));
          await reply.pipe(200, { "Content-Length": announced }, Readable.from([Buffer.alloc(600_000, "p")]));
        },
      });
      server.route({
        path: "/broken",
        handle: () => {
          throw new Error("boom");
        },
      });
    });
  });

  beforeEach(() => {
    held = [];
    streamClosed = 0;
  });

  after(() => rig.server.stop());

  const open = (): Promise<RawPeer> => RawPeer.open(rig.server.address.port);

  it("answers with the headers of every other answer", async () => {
    const peer = await open();
    peer.write(post("/master/echo?q=1", "abc"));
    const text = await peer.until((received) => received.endsWith("abc"));
    expect(text.replace(/Date: .*GMT/, "Date: D")).to.equal(
      "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 16\r\n\r\nPOST /echo 1 abc",
    );
    peer.destroy();
  });

  it("answers in the order of the requests, whichever is done first", async () => {
    const peer = await open();
    peer.write(post("/held", "first") + post("/echo", "second") + post("/held", "third"));
    while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
    held[1]!();
    held[0]!();
    const text = await peer.until((received) => bodiesOf(received).length === 3);
    expect(bodiesOf(text)).to.deep.equal(["first", "POST /echo null second", "third"]);
    peer.destroy();
  });

  it("gives the same answers to any mix of requests, wherever their bytes are cut", async () => {
    const body = fc.string({ unit: fc.constantFrom("a", "\r", "\n", "POST ", "0"), maxLength: 200 });
    const request: fc.Arbitrary<Sent> = fc.oneof(
      { weight: 4, arbitrary: body.map((text) => ({ text: post("/echo", text), answer: text })) },
      body.map((text) => ({
        text: chunked("/echo", text === "" ? "x" : text),
        answer: text === "" ? "x" : text,
      })),
      body.map((text) => ({
        text: post("/echo", text, "Connection: keep-alive\r\nX-A: b\r\n"),
        answer: text,
      })),
      fc.constant({ text: "GET /echo HTTP/1.1\r\n\r\n", answer: "" }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { minLength: 1, maxLength: 12 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
        async (requests, cuts) => {
          const peer = await open();
          const text = requests.map((one) => one.text).join("");
          const places = cuts.map((cut) => Math.floor(cut * text.length)).sort((a, b) => a - b);
          let at = 0;
          for (const place of [...places, text.length]) {
            if (place > at) await new Promise((resolve) => peer.socket.write(text.slice(at, place), resolve));
            at = place;
          }
          const received = await peer.until((answers) => bodiesOf(answers).length >= requests.length);
          peer.destroy();
          const expected = requests.map(
            ({ text: sent, answer }) => `${sent.slice(0, sent.indexOf(" "))} /echo null ${answer}`,
          );
          expect(bodiesOf(received)).to.deep.equal(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("leaves what is not plain to node:http, after the answers that are due", async () => {
    const peer = await open();
    peer.write(`${post("/held", "first")}GET /nowhere HTTP/1.1\r\n\r\n`);
    while (held.length < 1) await new Promise((resolve) => setImmediate(resolve));
    held[0]!();
    const text = await peer.until((received) => bodiesOf(received).length === 2);
    expect(bodiesOf(text)).to.deep.equal(["first", "404 Not Found."]);
    peer.write(post("/echo", "again"));
    await peer.until((received) => received.endsWith("again"));
    peer.destroy();
    const expecting = await open();
    expecting.write("POST /echo HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n");
    await expecting.until((received) => received.startsWith("HTTP/1.1 100 Continue\r\n"));
    expecting.destroy();
  });

  it("refuses what is wrong with a head, and closes", async () => {
    for (const head of [
      "POST /echo HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      "POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
      "POST /echo HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "POST /echo HTTP/1.1\r\nBad Name: 1\r\nContent-Length: 0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nA: \x01\r\nContent-Length: 0\r\n\r\n",
    ]) {
      const peer = await open();
      peer.write(post("/echo", "ok") + head);
      expect(await peer.untilClosed(), JSON.stringify(head)).to.match(/ok.*HTTP\/1.1 400 /s);
    }
    const large = await open();
    large.write(`POST /echo HTTP/1.1\r\nContent-Length: ${2 ** 30}\r\n\r\n`);
    expect(await large.untilClosed()).to.match(/^HTTP\/1.1 413 /);
  });

  it("turns what a route throws into 500 and goes on", async () => {
    const peer = await open();
    peer.write(post("/broken", "") + post("/echo", "on"));
    expect(await peer.until((received) => received.endsWith("on"))).to.match(/^HTTP\/1.1 500 /);
    peer.destroy();
  });

  it("streams: a chunk for each part, and requests behind it wait", async () => {
    const peer = await open();
    peer.write(post("/stream", "") + post("/echo", "behind"));
    const text = await peer.until((received) => received.includes("two"));
    expect(text.replace(/Date: .*GMT/, "Date: D")).to.equal(
      "HTTP/1.1 200 OK\r\nMesos-Stream-Id: s1\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n",
    );
    stream!.end();
    expect(await peer.until((received) => received.endsWith("behind"))).to.contain(
      "\r\n0\r\n\r\nHTTP/1.1 200 OK",
    );
    expect([stream!.over, streamClosed]).to.deep.equal([true, 1]);
    peer.destroy();
  });

  it("tells a stream that its client has left, also by closing one side only", async () => {
    for (const leave of ["destroy", "end"] as const) {
      const peer = await open();
      peer.write(post("/stream", ""));
      await peer.until((received) => received.includes("two"));
      streamClosed = 0;
      peer.socket[leave]();
      while (streamClosed === 0) await new Promise((resolve) => setImmediate(resolve));
      expect(stream!.over).to.equal(true);
      stream!.write([Buffer.from("three")]);
    }
  });

  it("answers a client that has closed its side after its request", async () => {
    const peer = await open();
    peer.write(post("/held", "late"));
    peer.socket.end();
    while (held.length < 1) await new Promise((resolve) => setImmediate(resolve));
    held[0]!();
    expect(await peer.untilClosed()).to.match(/late$/);
  });

  it("pipes a source of the announced length, and cuts the connection when it has another", async () => {
    const whole = await open();
    whole.write(post("/piped?announced=600000", ""));
    await whole.until((received) => bodiesOf(received)[0]?.length === 600_000);
    whole.destroy();
    for (const announced of [599_999, 600_001]) {
      const plain = await open();
      plain.write(post(`/piped?announced=${announced}`, ""));
      expect(bodiesOf(await plain.untilClosed()).length).to.equal(0);
      const other = await open();
      other.write(`GET /piped?announced=${announced} HTTP/1.1\r\n\r\n`);
      expect(bodiesOf(await other.untilClosed()).length).to.equal(0);
    }
  });

  it("bears 20,000 pipelined requests that wait for their answers", async () => {
    const peer = await open();
    const total = 20_000;
    peer.write(post("/held", "x".repeat(100)).repeat(total));
    let most = 0;
    for (let answered = 0; answered < total; ) {
      most = Math.max(most, held.length);
      const next = held.shift();
      if (next === undefined) await new Promise((resolve) => setImmediate(resolve));
      else {
        next();
        answered++;
      }
    }
    await peer.until((text) => count(text, "202 Accepted") === total);
    expect(most).to.be.lessThan(total / 2);
    peer.destroy();
  });

  it("ends a connection that keeps a body half sent", async () => {
    const impatient = await startServer((server) => server.route({ path: "/echo", handle: () => {} }), {
      receiveTimeout: 100,
    });
    const peer = await RawPeer.open(impatient.server.address.port);
    peer.write("POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nab");
    const head = await RawPeer.open(impatient.server.address.port);
    head.write("POST /echo HTTP/1.1\r\nContent-Le");
    await Promise.all([peer.untilClosed(), head.untilClosed()]);
    await impatient.server.stop();
  });
});
