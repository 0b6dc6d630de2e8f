import { expect } from "chai";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { ZooKeeperClient } from "../../../sdk/zookeeper/index.js";
import { OP } from "../../../sdk/zookeeper/records.js";
import { ScriptedServers } from "./scripted-server.js";

interface World {
  readonly clock: VirtualClock;
  readonly servers: ScriptedServers;
  readonly client: ZooKeeperClient;
  readonly logger: MemoryLogger;
  readonly events: string[];
}

function world(options: { credentials?: string; count?: number } = {}): World {
  const clock = new VirtualClock();
  const servers = new ScriptedServers();
  const logger = new MemoryLogger();
  const client = new ZooKeeperClient({
    servers: Array.from({ length: options.count ?? 3 }, (_, i) => ({ host: `h${i}`, port: 1 })),
    sessionTimeout: 6000,
    credentials: options.credentials,
    clock,
    random: new SeededRandom(),
    logger,
    dial: servers.dial,
  });
  const events: string[] = [];
  client.listen({
    connected: (resumed) => events.push(resumed ? "resumed" : "connected"),
    disconnected: () => events.push("disconnected"),
    expired: () => events.push("expired"),
  });
  client.start();
  return { clock, servers, client, logger, events };
}

describe("a ZooKeeper session", () => {
  it("takes the timeout that the server grants, and pings at a third of it", async () => {
    const { clock, servers, client, events } = world();
    await clock.advance(0);
    expect(events).to.deep.equal(["connected"]);
    expect(client.sessionTimeout).to.equal(3000);
    await clock.advance(999);
    expect(servers.last.types()).to.deep.equal([]);
    await clock.advance(3001);
    expect(servers.last.types()).to.deep.equal([OP.ping, OP.ping, OP.ping, OP.ping]);
  });

  it("leaves a server that is silent for two thirds of the timeout, and resumes on another", async () => {
    const { clock, servers, client, events } = world();
    await clock.advance(0);
    const id = client.sessionId;
    servers.last.alive = false;
    await clock.advance(1999);
    expect(events).to.deep.equal(["connected"]);
    await clock.advance(2);
    expect(events).to.deep.equal(["connected", "disconnected", "resumed"]);
    expect(servers.connections).to.have.length(2);
    expect(servers.last.asked).to.equal(id);
  });

  it("counts as expired no later than one timeout after the last answered request was sent", async () => {
    const { clock, servers, client, events } = world();
    await clock.advance(0);
    // Two pings are answered; the later of them was sent at 2000.
    await clock.advance(2500);
    servers.timeout = undefined;
    servers.last.alive = false;
    await clock.advance(2000 + 3000 - 2500 - 1);
    expect(events).to.deep.equal(["connected", "disconnected"]);
    await clock.advance(1);
    expect(events).to.deep.equal(["connected", "disconnected", "expired"]);
    expect(client.sessionId).to.equal(0n);
    servers.timeout = 3000;
    await clock.advance(10_000);
    expect(events.at(-1)).to.equal("connected");
    expect(client.sessionId).to.equal(102n);
  });

  it("starts a new session when the server reports that it has expired", async () => {
    const { clock, servers, client, events } = world();
    await clock.advance(0);
    servers.timeout = 0;
    client.reconnect("test");
    await clock.advance(2000);
    expect(events).to.deep.equal(["connected", "disconnected", "expired", "connected"]);
    expect(servers.last.asked).to.equal(0n);
  });

  it("sets its watches again after a reconnect, and reports what changed", async () => {
    const { clock, servers, client } = world();
    await clock.advance(0);
    const seen: string[] = [];
    const found = client.exists("/a", ({ type, path }) => seen.push(`${type} ${path}`));
    await clock.advance(0);
    const [request] = servers.last.requests;
    servers.last.reply(request!.xid, -101);
    await clock.advance(0);
    expect(await found).to.equal(undefined);
    client.reconnect("test");
    await clock.advance(100);
    const again = servers.last.requests.find(({ type }) => type === OP.setWatches)!;
    expect(again.body.long()).to.equal(7n);
    const paths = () => again.body.list((item) => item.text());
    expect([paths(), paths(), paths()]).to.deep.equal([[], ["/a"], []]);
    servers.last.reply(-1, 0, (out) => out.int(1).int(3).text("/a"));
    servers.last.reply(-1, 0, (out) => out.int(1).int(3).text("/a"));
    await clock.advance(0);
    expect(seen).to.deep.equal(["created /a"]);
  });

  it("sees an event that arrives in one packet with the response that set the watch", async () => {
    const { clock, servers, client } = world();
    await clock.advance(0);
    const seen: string[] = [];
    const listed = client.getChildren("/a", ({ type }) => seen.push(type));
    await clock.advance(0);
    const { socket, requests } = servers.last;
    socket.cork();
    servers.last.reply(requests[0]!.xid, 0, (out) => out.list(["x"], (to, name) => to.text(name)));
    servers.last.reply(-1, 0, (out) => out.int(4).int(3).text("/a"));
    socket.uncork();
    await clock.advance(0);
    expect(await listed).to.deep.equal(["x"]);
    expect(seen).to.deep.equal(["children-changed"]);
  });

  it("authenticates on every connection, before anything else", async () => {
    const { clock, servers, client } = world({ credentials: "u:p" });
    await clock.advance(0);
    client.reconnect("test");
    await clock.advance(100);
    for (const { requests } of servers.connections) {
      expect(requests[0]?.type).to.equal(OP.auth);
      const body = requests[0]!.body;
      expect([body.int(), body.text(), body.text()]).to.deep.equal([0, "digest", "u:p"]);
    }
  });

  for (const [name, act] of [
    ["an answer to nobody", (servers: ScriptedServers) => servers.last.reply(77, 0)],
    ["a frame of impossible length", (servers: ScriptedServers) => servers.last.socket.write("HTTP/1.1 400")],
    [
      "a frame cut short",
      (servers: ScriptedServers) => servers.last.socket.write(Buffer.from([0, 0, 0, 1, 9])),
    ],
  ] as const) {
    it(`breaks with a server that sends ${name}, and rejects what waits`, async () => {
      const { clock, servers, client, events } = world();
      await clock.advance(0);
      const waiting = client.getData("/a").catch((error: unknown) => error);
      await clock.advance(0);
      act(servers);
      await clock.advance(100);
      expect(await waiting).to.include({ code: "connection-loss" });
      expect(events).to.deep.equal(["connected", "disconnected", "resumed"]);
    });
  }

  it("treats an undecodable response like a lost connection", async () => {
    const { clock, servers, client } = world();
    await clock.advance(0);
    const waiting = client.getData("/a").catch((error: unknown) => error);
    await clock.advance(0);
    servers.last.reply(servers.last.requests[0]!.xid, 0, (out) => out.int(-7));
    await clock.advance(100);
    expect(await waiting).to.include({ code: "connection-loss" });
  });

  it("backs off from servers that accept and drop connections, and logs it less and less often", async () => {
    const { clock, servers, logger } = world({ count: 2 });
    const drop = setImmediateLoop(() => servers.connections.at(-1)?.socket.end());
    await clock.advance(60_000);
    drop();
    expect(servers.connections.length).to.be.within(60, 300);
    expect(logger.messages("warn").length).to.be.below(12);
  });

  it("rejects requests without a connection, and those too large for any server", async () => {
    const { clock, servers, client } = world();
    const early = await client.getData("/a").catch((error: unknown) => error);
    expect(early).to.include({ code: "connection-loss" });
    await clock.advance(0);
    const data = Buffer.alloc(1_100_000);
    const large = await client.setData({ path: "/a", data }).catch((error: unknown) => error);
    expect(large).to.include({ code: "marshalling-error" });
    expect(servers.last.types()).to.deep.equal([]);
  });

  it("tells the server when it closes, and closes anyway without an answer", async () => {
    const { clock, servers, client } = world();
    await clock.advance(0);
    const closing = client.close();
    await clock.advance(0);
    expect(servers.last.types()).to.deep.equal([OP.close]);
    await clock.advance(1000);
    await closing;
    expect(clock.pendingTimers).to.equal(0);
    expect(servers.connections).to.have.length(1);
  });
});

/** Calls between the steps of virtual time, until it is told to stop. */
function setImmediateLoop(work: () => void): () => void {
  let going = true;
  const step = (): void => {
    if (!going) return;
    work();
    setImmediate(step);
  };
  setImmediate(step);
  return () => {
    going = false;
  };
}
