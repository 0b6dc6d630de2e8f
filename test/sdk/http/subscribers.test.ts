import { expect } from "chai";
import type { MessageCodec } from "../../../proto/json/codec.js";
import type { HttpReply, HttpRequest, ReplyStream } from "../../../sdk/contracts/http-server.js";
import type { EventStream } from "../../../sdk/http/index.js";
import { Subscribers } from "../../../sdk/http/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";

const LIMIT = 1024 * 1024;

/** Events are as many bytes. */
const codec = {
  encode: (size: number) => Buffer.alloc(size),
  json: { write: (size: number) => "x".repeat(size) },
} as unknown as MessageCodec<number>;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A client that has read what a test says. */
class Client {
  cut = false;
  waiting = 0;
  private closed = (): void => undefined;

  readonly reply = {
    stream: (_status: number, _headers: object, closed: () => void): ReplyStream => {
      this.closed = closed;
      return this.stream;
    },
  } as unknown as HttpReply;

  private readonly stream: ReplyStream = (() => {
    const client = this;
    return {
      get over() {
        return client.cut;
      },
      get waiting() {
        return client.waiting;
      },
      write: (parts: readonly Uint8Array[]) => {
        for (const part of parts) client.waiting += part.length;
      },
      drained: async () => undefined,
      end: () => undefined,
      destroy: () => {
        client.cut = true;
        setImmediate(client.closed);
      },
    };
  })();

  readAll(): void {
    this.waiting = 0;
  }
}

describe("subscribers of events", () => {
  let logger: MemoryLogger;
  let subscribers: Subscribers<number>;

  beforeEach(() => {
    logger = new MemoryLogger();
    subscribers = new Subscribers({ codec, logger, who: "a tester", maxBufferedBytes: LIMIT });
  });

  function subscribe(): { client: Client; events: EventStream<number> } {
    const client = new Client();
    let events: EventStream<number> | undefined;
    const request = { peer: "10.0.0.1:1" } as HttpRequest;
    subscribers.open({ request, reply: client.reply, format: "protobuf" }, (stream) => {
      events = stream;
      return { disconnected: () => undefined };
    });
    return { client, events: events! };
  }

  it("are cut off when more waits for them than may, and that is said", async () => {
    const { client, events } = subscribe();
    events.send(1);
    for (let i = 0; i < 10; i++) expect(events.send(LIMIT / 16)).to.equal(true);
    await turn();
    client.readAll();
    for (let i = 0; i < 15; i++) expect(events.send(LIMIT / 16)).to.equal(true);
    await turn();
    expect([events.send(LIMIT / 16), client.cut]).to.deep.equal([false, true]);
    await turn();
    expect(logger.messages("warn")).to.deep.equal(["Cut off a tester that does not read its events"]);
  });

  it("may take their time for the first event, however large it is", async () => {
    const { client, events } = subscribe();
    expect(events.send(10 * LIMIT)).to.equal(true);
    await turn();
    expect(events.send(LIMIT / 2)).to.equal(true);
    expect(client.cut).to.equal(false);
    expect(events.send(LIMIT / 2 + 100)).to.equal(false);
  });

  it("share what may wait for all: who is farthest behind is cut off", async () => {
    const all = Array.from({ length: 20 }, subscribe);
    for (const { events } of all) events.send(1);
    const size = LIMIT / 64;
    for (let i = 0; i < 60; i++) {
      for (const { events } of all) events.send(size);
      await turn();
      for (const { client } of all.slice(0, 10)) client.readAll();
    }
    const total = (): number => all.reduce((sum, { client }) => sum + (client.cut ? 0 : client.waiting), 0);
    expect(all.slice(0, 10).some(({ client }) => client.cut)).to.equal(false);
    expect(all.slice(10).filter(({ client }) => client.cut).length).to.be.within(5, 7);
    expect(total()).to.be.at.most(4 * LIMIT + 20 * size);
  });
});
