import { expect } from "chai";
import fc from "fast-check";
import { MessageParser, TargetCache } from "../../../plugins/libprocess-transport/message-parser.js";
import { wireMessage } from "./support.js";

interface Seen {
  actor: string;
  name: string;
  from: string | undefined;
  body: string;
}

function parser(maxBodyBytes = 1_000_000) {
  const seen: Seen[] = [];
  const limits = { maxHeadBytes: 4096, maxBodyBytes };
  const instance = new MessageParser(new TargetCache(), limits, ({ actor, name }, from, body) => {
    seen.push({ actor, name, from, body: Buffer.from(body).toString("latin1") });
  });
  return { instance, seen };
}

/** Pushes the text cut at the given places. */
function pushCut(instance: MessageParser, text: string, cuts: readonly number[]): string[] {
  const states: string[] = [];
  let from = 0;
  for (const to of [...cuts, text.length]) {
    if (to > from) states.push(instance.push(Buffer.from(text.slice(from, to), "latin1")));
    from = Math.max(from, to);
  }
  return states;
}

const FROM = "slave(1)@10.0.0.7:5051";

describe("message parser", () => {
  it("reads what libprocess writes, wherever it is cut", () => {
    const message = fc.record({
      to: fc.constantFrom("master", "slave(1)", "scheduler-5e2b"),
      name: fc.constantFrom("mesos.internal.A", "mesos.internal.PingSlaveMessage"),
      from: fc.constantFrom(FROM, "master@127.0.0.1:5050"),
      body: fc.oneof(
        fc.constant(""),
        fc.string({ maxLength: 40, unit: "binary-ascii" }),
        fc.constant("\r\n0\r\n\r\n"),
      ),
    });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 6 }),
        fc.array(fc.nat(2000), { maxLength: 12 }),
        (messages, places) => {
          const text = messages.map(wireMessage).join("");
          const { instance, seen } = parser();
          const states = pushCut(
            instance,
            text,
            places.filter((place) => place < text.length).sort((a, b) => a - b),
          );
          expect(states.every((state) => state === "ok")).to.equal(true);
          expect(instance.midMessage).to.equal(false);
          expect(seen).to.deep.equal(
            messages.map(({ to, name, from, body }) => ({ actor: to, name, from, body })),
          );
        },
      ),
    );
  });

  it("reads several chunks, extensions and bodies of a given length", () => {
    const { instance, seen } = parser();
    const head = `POST /master/m HTTP/1.1\r\nLibprocess-From: ${FROM}\r\n`;
    instance.push(
      Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n`),
    );
    instance.push(Buffer.from(`${head}content-length: 5\r\n\r\nhel`));
    instance.push(Buffer.from(`lo${head}Content-Length: 0\r\n\r\n`));
    expect(seen.map(({ body }) => body)).to.deep.equal(["abc0123456789", "hello", ""]);
  });

  it("decodes percent-encoded actors and takes the sender from User-Agent when it must", () => {
    const { instance, seen } = parser();
    instance.push(Buffer.from(`POST /slave%281%29/m?x HTTP/1.1\r\nUser-Agent: libprocess/${FROM}\r\n\r\n`));
    instance.push(Buffer.from(`POST /master/m HTTP/1.1\r\nUser-Agent: libprocess/nonsense\r\n\r\n`));
    expect(seen).to.deep.equal([
      { actor: "slave(1)", name: "m", from: FROM, body: "" },
      { actor: "master", name: "m", from: undefined, body: "" },
    ]);
  });

  it("leaves what is no plain message, with its bytes, to others", () => {
    const first = wireMessage({ to: "master", name: "m", from: FROM, body: "b" });
    for (const foreign of [
      "GET /state HTTP/1.1\r\n\r\n",
      "\u0000\u0001",
      "POST /api/v1 HTTP/1.1\r\nHost: x\r\n\r\n",
      "POST /a/b HTTP/1.0\r\nLibprocess-From: x@1.1.1.1:1\r\n\r\n",
      `POST /a/b HTTP/1.1\r\nLibprocess-From: ${FROM}\r\nContent-Encoding: gzip\r\n\r\n`,
      `POST /a/b HTTP/1.1\r\nLibprocess-From: ${FROM}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      `POST /a/b HTTP/1.1\r\nLibprocess-From: ${FROM}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n`,
      `POST /a/b HTTP/1.1\r\nLibprocess-From: ${FROM}\r\n folded\r\n\r\n`,
      `POST /%zz/b HTTP/1.1\r\nLibprocess-From: ${FROM}\r\n\r\n`,
    ]) {
      const { instance, seen } = parser();
      expect(instance.push(Buffer.from(first + foreign, "latin1")), foreign).to.equal("foreign");
      expect(instance.rest.toString("latin1")).to.equal(foreign);
      expect(seen.length).to.equal(1);
    }
  });

  it("refuses what breaks the form or a limit", () => {
    const head = `POST /master/m HTTP/1.1\r\nLibprocess-From: ${FROM}\r\n`;
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`;
    for (const bad of [
      `${chunked}zz\r\n`,
      `${chunked}\r\n`,
      `${chunked}1\r\nab`,
      `${chunked}1\rx`,
      `${chunked}0\r\nTrailer: x\r\n\r\n`,
      `${chunked}ffffffffffff\r\n`,
      `${chunked}${"0".repeat(200)}`,
      `${chunked}80\r\n${"x".repeat(0x80)}\r\n1\r\n`,
      `${head}Content-Length: 129\r\n\r\n`,
      `POST /${"x".repeat(5000)}`,
      `${head}X: ${"x".repeat(5000)}\r\n\r\n`,
    ]) {
      const { instance, seen } = parser(128);
      expect(instance.push(Buffer.from(bad)), bad).to.equal("bad");
      expect(seen).to.deep.equal([]);
    }
  });

  it("never throws and never loops, whatever comes", () => {
    const piece = fc.constantFrom(
      "POST ",
      "/master/m",
      " HTTP/1.1",
      "\r\n",
      "\r",
      "\n",
      `Libprocess-From: ${FROM}`,
      "Transfer-Encoding: chunked",
      "0",
      "5",
      "hello",
      "\r\n\r\n",
      "Content-Length: 3",
    );
    fc.assert(
      fc.property(
        fc.array(fc.oneof(piece, fc.string({ unit: "binary-ascii", maxLength: 4 })), { maxLength: 40 }),
        (pieces) => {
          const { instance } = parser(64);
          for (const text of pieces) {
            if (instance.push(Buffer.from(text, "latin1")) !== "ok") return;
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
