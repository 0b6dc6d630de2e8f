import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect } from "chai";
import { type Rig, startServer } from "./support.js";

const MEGABYTE = 1024 * 1024;
const GET = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n";
const POST = "POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";

/** More than the system takes for a client that reads nothing. */
const LARGE = 16 * MEGABYTE;

/** Counts what it is sent, and reads only when it is told to. */
class Client {
  bytes = 0;
  private heard: (() => void) | undefined;

  private constructor(readonly socket: Socket) {
    socket.on("data", ({ length }: Buffer) => {
      this.bytes += length;
      this.heard?.();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => this.heard?.());
  }

  static async open(port: number): Promise<Client> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new Client(socket);
  }

  /** Resolves when its answer is complete, or the connection is gone. */
  async read(): Promise<void> {
    this.socket.resume();
    while (this.bytes <= LARGE && !this.socket.closed)
      await new Promise<void>((resolve) => {
        this.heard = resolve;
      });
  }
}

describe("http-server with answers that nobody reads", () => {
  let rig: Rig;
  let peers: Client[];
  let make: () => Uint8Array;

  beforeEach(async () => {
    peers = [];
    rig = await startServer(
      (server) => {
        server.take({ matches: () => false, take: () => undefined });
        server.route({ path: "/large", handle: (_, reply) => reply.send(200, make()) });
        server.route({ path: "/small", handle: (_, reply) => reply.send(200, "small") });
      },
      // Four of the largest: more than this.
      { maxUnreadBytes: 2 * MEGABYTE },
    );
  });

  afterEach(async () => {
    for (const { socket } of peers) socket.destroy();
    await rig.server.stop();
  });

  /** A client that reads no more than the beginning of the answer. */
  const deaf = async (request: string): Promise<Client> => {
    const peer = await Client.open(rig.server.address.port);
    peers.push(peer);
    peer.socket.write(request);
    await once(peer.socket, "data");
    peer.socket.pause();
    return peer;
  };

  const small = async (): Promise<string> => (await fetch(`${rig.base}/small`)).text();

  for (const [how, request] of [
    ["a plain call", POST],
    ["any other request", GET],
  ] as const) {
    it(`cuts off who has not read for the longest time: answers to ${how}`, async () => {
      make = () => Buffer.alloc(LARGE, "x");
      const first = await deaf(request);
      for (let i = 0; i < 4; i++) await deaf(request);
      await first.read();
      expect(first.bytes).to.be.lessThan(LARGE);
      expect(await small()).to.equal("small");
      const [said] = rig.logger.messages("warn");
      expect(said).to.match(/^Cut off a client that does not read its answers/);
      // The others are still given what they asked for.
      const last = peers.at(-1)!;
      await last.read();
      expect(last.bytes).to.be.greaterThan(LARGE);
    });

    it(`counts once what many are waiting for: answers to ${how}`, async () => {
      const shared = Buffer.alloc(LARGE, "x");
      make = () => shared;
      for (let i = 0; i < 6; i++) await deaf(request);
      for (const peer of peers) {
        await peer.read();
        expect(peer.bytes).to.be.greaterThan(LARGE);
      }
      expect(rig.logger.messages("warn")).to.deep.equal([]);
    });

    it(`forgets what was read, and what a client left behind: answers to ${how}`, async () => {
      make = () => Buffer.alloc(LARGE, "x");
      for (let i = 0; i < 6; i++) {
        const peer = await deaf(request);
        if (i % 2 === 0) await peer.read();
        else peer.socket.resetAndDestroy();
        await small();
      }
      expect(rig.logger.messages("warn")).to.deep.equal([]);
    });
  }

  it("cuts off who asks for more and more without reading", async () => {
    make = () => Buffer.alloc(LARGE, "x");
    const peer = await deaf(GET.repeat(20));
    await peer.read();
    expect(peer.bytes).to.be.lessThan(LARGE);
    expect(await small()).to.equal("small");
  });
});
