import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { messageTransportSuite } from "../../../sdk/testing/message-transport-suite.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { count, RawPeer } from "../http-server/support.js";
import { type Daemon, startDaemon, wireMessage } from "./support.js";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function turns(count: number): Promise<number> {
  for (let i = 0; i < count; i++) await turn();
  return count;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

const FROM = "slave(1)@127.0.0.1:5051";

describe("libprocess-transport", () => {
  describe("keeps the contract", () => {
    for (const { name, run } of messageTransportSuite(async () => {
      const [a, b] = await Promise.all([startDaemon(), startDaemon()]);
      return {
        a: a.transport,
        b: b.transport,
        nobody: "127.0.0.1:1",
        turn,
        endB: () => b.stop(),
        close: async () => {
          await a.stop();
          await b.stop();
        },
      };
    })) {
      it(name, run);
    }
  });

  describe("on the wire", () => {
    let daemon: Daemon;
    let bodies: string[];

    beforeEach(async () => {
      daemon = await startDaemon();
      bodies = [];
      daemon.transport.receive(
        "master",
        ({ body }) => void bodies.push(Buffer.from(body).toString("latin1")),
      );
      daemon.server.route({ path: "/state", handle: (_, reply) => reply.json('{"s":1}') });
    });

    afterEach(() => daemon.stop());

    const peer = (): Promise<RawPeer> => RawPeer.open(daemon.port);
    const message = (body: string, to = "master"): string => wireMessage({ to, name: "m", from: FROM, body });

    it("writes exactly what libprocess writes", async () => {
      const received = new Promise<string>((resolve) => {
        const listener = createServer((socket) => {
          let text = "";
          socket.on("data", (chunk) => {
            text += chunk.toString("latin1");
            if (!text.endsWith("0\r\n\r\n")) return;
            socket.destroy();
            listener.close();
            resolve(text);
          });
        }).listen(0, "127.0.0.1", () => {
          const { port } = listener.address() as { port: number };
          const to = `slave(1)@127.0.0.1:${port}`;
          daemon.transport.send(to, { from: "master", name: "mesos.internal.Empty", body: new Uint8Array() });
          daemon.transport.send(to, {
            from: "master",
            name: "mesos.internal.PingSlaveMessage",
            body: Buffer.from("0123456789abcdef!"),
          });
        });
      });
      const from = `master@127.0.0.1:${daemon.port}`;
      const text = await received;
      const host = /Host: (\S+)/.exec(text)![1]!;
      const head = (name: string): string =>
        `POST /slave(1)/${name} HTTP/1.1\r\nUser-Agent: libprocess/${from}\r\nLibprocess-From: ${from}\r\nConnection: Keep-Alive\r\nHost: ${host}\r\n`;
      expect(text).to.equal(
        `${head("mesos.internal.Empty")}\r\n${head("mesos.internal.PingSlaveMessage")}Transfer-Encoding: chunked\r\n\r\n11\r\n0123456789abcdef!\r\n0\r\n\r\n`,
      );
    });

    it("answers 202, 404 and 400 in the order of the messages", async () => {
      const client = await peer();
      client.write(
        message("1") +
          message("2") +
          message("3", "nobody") +
          message("4").replaceAll(FROM, "nonsense") +
          message("5"),
      );
      const text = await client.until((received) => count(received, "HTTP/1.1") === 5);
      expect(text.match(/HTTP\/1.1 \d+/g)).to.deep.equal(
        ["202", "202", "404", "400", "202"].map((code) => `HTTP/1.1 ${code}`),
      );
      expect(text).to.match(/^HTTP\/1.1 202 Accepted\r\nDate: [^\r]*GMT\r\nContent-Length: 0\r\n\r\n/);
      expect(bodies).to.deep.equal(["1", "2", "5"]);
      client.destroy();
    });

    it("answers more messages than one buffer of answers holds", async () => {
      const client = await peer();
      client.write(message("x").repeat(1000));
      await client.until((received) => count(received, "202 Accepted") === 1000);
      client.destroy();
    });

    it("owes answers to peers that have shown not to wait for them, and to nobody else", async () => {
      const clock = new VirtualClock();
      const still = await startDaemon({}, clock);
      let received = 0;
      still.transport.receive("master", () => void received++);
      const patient = await RawPeer.open(still.port);
      const other = await RawPeer.open(still.port);
      patient.write(message("a"));
      await patient.until((text) => text.includes("202 Accepted"));
      patient.write(message("b") + message("c"));
      await until(() => received === 3);
      other.write((message("d") + message("e")).replace(/User-Agent: .*\r\n/g, ""));
      await other.until((text) => count(text, "202 Accepted") === 2);
      expect(count(patient.text, "202 Accepted")).to.equal(1);
      await clock.advance(2000);
      await patient.until((text) => count(text, "202 Accepted") === 3);
      patient.destroy();
      other.destroy();
      const stopped = still.stop();
      await clock.advance(60_000);
      await stopped;
    });

    it("reads messages byte by byte", async () => {
      const client = await peer();
      await client.writeSlowly(message("slow") + message("again"));
      await client.until((received) => count(received, "202 Accepted") === 2);
      expect(bodies).to.deep.equal(["slow", "again"]);
      client.destroy();
    });

    it("serves plain HTTP on a connection of messages, and messages after it", async () => {
      const client = await peer();
      client.write(`${message("1")}GET /state HTTP/1.1\r\n\r\n${message("2")}`);
      await client.until((received) => count(received, "202 Accepted") === 2 && received.includes('{"s":1}'));
      expect(bodies).to.deep.equal(["1", "2"]);
      client.destroy();
    });

    it("takes messages that come as plain HTTP, also compressed", async () => {
      const url = `http://127.0.0.1:${daemon.port}/master/m`;
      const headers = { "Libprocess-From": FROM };
      const plain = await fetch(url, {
        method: "POST",
        headers: { ...headers, "Content-Encoding": "gzip" },
        body: gzipSync("zip"),
      });
      expect(plain.status).to.equal(202);
      const unknown = await fetch(`http://127.0.0.1:${daemon.port}/nobody/m`, {
        method: "POST",
        headers,
        body: "x",
      });
      expect(unknown.status).to.equal(404);
      expect(bodies).to.deep.equal(["zip"]);
    });

    it("closes on garbage and on what is too large, says so once for a peer, and goes on", async () => {
      for (let i = 0; i < 3; i++) {
        const client = await peer();
        client.write(
          `${message("ok")}POST /master/m HTTP/1.1\r\nLibprocess-From: ${FROM}\r\nTransfer-Encoding: chunked\r\n\r\nnot hex`,
        );
        expect(await client.untilClosed()).to.match(/202 Accepted[\s\S]*HTTP\/1.1 400 Bad Request/);
      }
      const large = await peer();
      large.write(`POST /master/m HTTP/1.1\r\nLibprocess-From: ${FROM}\r\nContent-Length: 99999999\r\n\r\n`);
      await large.untilClosed();
      const huge = await peer();
      huge.write(`${message("ok")}POST /${"x".repeat(100_000)}`);
      await huge.untilClosed();
      const noise = await peer();
      noise.write(`${message("ok")}\u0000\u0001\u0002`);
      expect(await noise.untilClosed()).to.match(/HTTP\/1.1 400 Bad Request/);
      expect(
        daemon.logger.messages("warn").filter((line) => line.includes("no proper message")).length,
      ).to.equal(1);
      const after = await peer();
      after.write(message("alive"));
      await after.until((received) => received.includes("202"));
      after.destroy();
    });

    it("checks the sender's IP when told to", async () => {
      const strict = await startDaemon({ requirePeerAddressIpMatch: true });
      strict.transport.receive("master", () => undefined);
      const client = await RawPeer.open(strict.port);
      client.write(message("ok") + message("forged").replaceAll("127.0.0.1:5051", "10.1.2.3:5051"));
      const text = await client.until((received) => received.includes("400 Bad Request"));
      expect(text)
        .to.contain("202 Accepted")
        .and.to.contain("UPID IP address validation failed: Message from slave(1)@10.1.2.3:5051");
      client.destroy();
      await strict.stop();
    });

    it("keeps a silent connection open and then reads from it", async () => {
      const client = await peer();
      const other = await peer();
      other.write(message("other"));
      await other.until((received) => received.includes("202"));
      expect(client.closed).to.equal(false);
      client.write(message("late"));
      await client.until((received) => received.includes("202"));
      client.destroy();
      other.destroy();
    });
  });

  it("gives up a peer that does not read, and tells its links", async () => {
    const daemon = await startDaemon({ maxQueuedBytes: 8 * 1024 * 1024 });
    const held: Socket[] = [];
    const deaf = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on("error", () => undefined);
      held.push(socket);
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => deaf.once("listening", resolve));
    const to = `deaf@127.0.0.1:${(deaf.address() as { port: number }).port}`;
    let exits = 0;
    daemon.transport.link(to, () => exits++);
    const body = Buffer.alloc(1024 * 1024);
    for (let i = 0; exits === 0; i++) {
      daemon.transport.send(to, { from: "master", name: `m${i}`, body });
      await turn();
    }
    for (const socket of held) socket.destroy();
    deaf.close();
    await daemon.stop();
  });

  it("says when there is room again for a peer that reads slowly, also when it is lost", async () => {
    const daemon = await startDaemon();
    const held: Socket[] = [];
    const slow = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on("error", () => undefined);
      held.push(socket);
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => slow.once("listening", resolve));
    const to = `slow@127.0.0.1:${(slow.address() as { port: number }).port}`;
    expect(daemon.transport.room(to)).to.equal(undefined);
    const body = Buffer.alloc(1024 * 1024);
    const fill = async (): Promise<{ room: Promise<void> }> => {
      for (;;) {
        daemon.transport.send(to, { from: "master", name: "m", body });
        await turn();
        const room = daemon.transport.room(to);
        // What the system takes of it is gone at once: this much is not.
        if (room !== undefined && (await Promise.race([room, turns(5)])) === 5) return { room };
      }
    };
    const first = await fill();
    held[0]!.resume();
    await first.room;
    expect(daemon.transport.room(to)).to.equal(undefined);
    held[0]!.pause();
    const second = await fill();
    held[0]!.destroy();
    await second.room;
    slow.close();
    await daemon.stop();
  });

  it("reads no more from a peer of whom a receiver asks that, and goes on after", async () => {
    const daemon = await startDaemon();
    const free: (() => void)[] = [];
    const names: string[] = [];
    daemon.transport.receive("agent", ({ name }) => {
      names.push(name);
      return name === "stop" ? new Promise<void>((resolve) => free.push(resolve)) : undefined;
    });
    const peer = await RawPeer.open(daemon.port);
    const message = (name: string): string => wireMessage({ to: "agent", name, from: FROM, body: "b" });
    peer.write(message("one"));
    await until(() => names.length === 1);
    peer.write(message("stop"));
    await until(() => names.length === 2);
    peer.write(message("later"));
    const other = await RawPeer.open(daemon.port);
    for (let i = 1; i <= 20; i++) {
      other.write(message("other"));
      await until(() => names.length === 2 + i);
    }
    expect(names.includes("later")).to.equal(false);
    free[0]!();
    await until(() => names.includes("later"));
    const plain = fetch(`http://127.0.0.1:${daemon.port}/agent/stop`, {
      method: "POST",
      headers: { "libprocess-from": FROM, "content-encoding": "gzip" },
      body: gzipSync("b"),
    });
    await until(() => names.filter((name) => name === "stop").length === 2);
    const answered = await Promise.race([plain, turns(20)]);
    expect(answered, "as plain HTTP it is answered when that is over").to.equal(20);
    free[1]!();
    expect((await plain).status).to.equal(202);
    peer.socket.destroy();
    other.socket.destroy();
    await daemon.stop();
  });

  it("loses all that is under way when it is reset, tells its links, and goes on over new connections", async () => {
    const daemon = await startDaemon();
    const held: Socket[] = [];
    const slow = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on("error", () => undefined);
      held.push(socket);
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => slow.once("listening", resolve));
    const to = `slow@127.0.0.1:${(slow.address() as { port: number }).port}`;
    let exits = 0;
    daemon.transport.link(to, () => exits++);
    await until(() => held.length === 1);
    // More than the system holds for a peer that does not read: the last one still waits in this process.
    const body = Buffer.alloc(8 * 1024 * 1024);
    for (const name of ["first", "second", "launch"])
      daemon.transport.send(to, { from: "master", name, body });
    await turn();
    daemon.transport.reset();
    await until(() => exits === 1);
    daemon.transport.send(to, { from: "master", name: "later", body: Buffer.alloc(0) });
    await until(() => held.length === 2);
    const texts = held.map(() => "");
    const ended = held.map(() => false);
    for (const [i, socket] of held.entries()) {
      socket.on("data", (chunk) => {
        texts[i] += chunk.toString("latin1");
      });
      socket.once("close", () => {
        ended[i] = true;
      });
      socket.resume();
    }
    await until(() => ended[0]! && texts[1]!.includes("/later "));
    expect(texts[0]).to.not.include("/launch ");
    expect(texts[1]).to.not.match(/\/(first|second|launch) /);
    for (const socket of held) socket.destroy();
    slow.close();
    await daemon.stop();
  });

  it("gives up a peer alone, and goes on with it over a new connection", async () => {
    const daemon = await startDaemon();
    const held: Socket[][] = [[], []];
    const peers = held.map((sockets) =>
      createServer((socket) => sockets.push(socket.on("error", () => undefined))).listen(0, "127.0.0.1"),
    );
    await Promise.all(peers.map((peer) => new Promise((resolve) => peer.once("listening", resolve))));
    const exits = [0, 0];
    const addresses = peers.map((peer) => `x@127.0.0.1:${(peer.address() as { port: number }).port}`);
    for (const [i, address] of addresses.entries()) daemon.transport.link(address, () => exits[i]!++);
    await until(() => held.every(({ length }) => length === 1));
    daemon.transport.reset(addresses[0]);
    daemon.transport.reset("x@127.0.0.1:1");
    await until(() => exits[0] === 1);
    for (const address of addresses)
      daemon.transport.send(address, { from: "master", name: "a", body: Buffer.alloc(0) });
    await until(() => held[0]!.length === 2);
    expect(exits).to.deep.equal([1, 0]);
    expect(held[1]).to.have.length(1);
    for (const socket of held.flat()) socket.destroy();
    for (const peer of peers) peer.close();
    await daemon.stop();
  });

  it("waits for a minute at most for a connection to a peer that does not answer", async () => {
    const clock = new VirtualClock();
    const daemon = await startDaemon({}, clock);
    // It takes no connection; the system keeps two for it, and answers no more.
    const script = `const s = require("node:net").createServer().listen(0, "127.0.0.1", 1, () => {
      require("node:fs").writeSync(1, s.address().port + "\\n");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
    const deaf = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    const port = Number((await once(deaf.stdout, "data"))[0]);
    const crowd = [1, 2, 3].map(() => connect(port, "127.0.0.1").on("error", () => undefined));
    await Promise.all(crowd.slice(0, 2).map((socket) => once(socket, "connect")));
    let exits = 0;
    daemon.transport.link(`x@127.0.0.1:${port}`, () => exits++);
    await clock.advance(30_000);
    await turn();
    expect(exits).to.equal(0);
    await clock.advance(30_000);
    await until(() => exits === 1);
    for (const socket of crowd) socket.destroy();
    deaf.kill("SIGKILL");
    const stopped = daemon.stop();
    await clock.advance(60_000);
    await stopped;
  });

  it("lets the system ask whether who is silent is still there", async () => {
    const daemon = await startDaemon();
    let received = 0;
    daemon.transport.receive("master", () => void received++);
    const socket = connect(daemon.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(wireMessage({ to: "master", name: "a", from: FROM, body: "" }));
    await until(() => received === 1);
    const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, "0");
    const ends = `0100007F:${hex(daemon.port)} 0100007F:${hex(socket.localPort!)}`;
    // The kernel's own word for it: what its timer of this connection is for. Off is 00; 01, for a moment, waits for an acknowledgement.
    const timer = (): string | undefined =>
      readFileSync("/proc/net/tcp", "utf8")
        .split("\n")
        .find((line) => line.includes(ends))
        ?.trim()
        .split(/\s+/)[5]
        ?.slice(0, 2);
    await until(() => timer() === "02");
    socket.destroy();
    await daemon.stop();
  });

  it("notices a peer that vanishes with a reset", async () => {
    const daemon = await startDaemon();
    const held: Socket[] = [];
    const fragile = createServer((socket) => held.push(socket)).listen(0, "127.0.0.1");
    await new Promise((resolve) => fragile.once("listening", resolve));
    let exits = 0;
    daemon.transport.link(`x@127.0.0.1:${(fragile.address() as { port: number }).port}`, () => exits++);
    await until(() => held.length === 1);
    held[0]!.resetAndDestroy();
    await until(() => exits === 1);
    fragile.close();
    await daemon.stop();
  });

  it("serves a thousand peers at once, each with its own connection both ways", async function () {
    this.timeout(30_000);
    const daemon = await startDaemon();
    const peers = 1000;
    const answered = new Set<string>();
    let received = 0;
    const listener = createServer((socket) => {
      socket.on("data", (chunk) => {
        for (const match of chunk.toString("latin1").matchAll(/POST \/(\S+)\/pong/g)) answered.add(match[1]!);
      });
      socket.on("error", () => undefined);
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => listener.once("listening", resolve));
    const { port } = listener.address() as { port: number };
    daemon.transport.receive("master", ({ from }) => {
      received++;
      daemon.transport.send(from, { from: "master", name: "pong", body: Buffer.from("pong") });
    });
    const sockets = await Promise.all(
      Array.from(
        { length: peers },
        (_, i) =>
          new Promise<Socket>((resolve, reject) => {
            const socket = connect(daemon.port, "127.0.0.1", () => {
              socket.write(
                wireMessage({
                  to: "master",
                  name: "ping",
                  from: `agent-${i}@127.0.0.1:${port}`,
                  body: "ping",
                }),
              );
              resolve(socket);
            });
            socket.once("error", reject);
            socket.resume();
          }),
      ),
    );
    await until(() => answered.size === peers);
    expect(received).to.equal(peers);
    for (const socket of sockets) socket.destroy();
    listener.close();
    await daemon.stop();
  });
});
