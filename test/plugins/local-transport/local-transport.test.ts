import { expect } from "chai";
import { LocalHub } from "../../../plugins/local-transport/local-hub.js";
import { LocalTransport } from "../../../plugins/local-transport/local-transport.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { messageTransportSuite } from "../../../sdk/testing/message-transport-suite.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";

function network() {
  const clock = new VirtualClock();
  const hub = new LocalHub(clock);
  const logger = new MemoryLogger();
  const make = () => {
    const transport = new LocalTransport({ hub, ip: "10.0.0.1", port: 0, clock, logger });
    transport.start();
    return transport;
  };
  return { clock, hub, a: make(), b: make() };
}

describe("local-transport", () => {
  for (const { name, run } of messageTransportSuite(async () => {
    const { clock, a, b } = network();
    return {
      a,
      b,
      nobody: "10.0.0.9:1",
      turn: () => clock.advance(1),
      endB: async () => b.stop(),
      close: async () => a.stop(),
    };
  })) {
    it(name, run);
  }

  it("delivers all messages in the order in which they were sent, whoever sent them", async () => {
    const { clock, a, b } = network();
    const seen: string[] = [];
    a.receive("x", ({ name }) => void seen.push(name));
    b.receive("x", ({ name }) => void seen.push(name));
    a.send(b.address("x"), { from: "x", name: "1", body: new Uint8Array() });
    b.send(a.address("x"), { from: "x", name: "2", body: new Uint8Array() });
    a.send(b.address("x"), { from: "x", name: "3", body: new Uint8Array() });
    await clock.advance(0);
    expect(seen).to.deep.equal(["1", "2", "3"]);
  });

  it("cuts an isolated daemon off both ways until it rejoins", async () => {
    const { clock, hub, a, b } = network();
    const seen: string[] = [];
    let exits = 0;
    b.receive("x", ({ name }) => void seen.push(name));
    a.link(b.address("x"), () => exits++);
    b.link(a.address("x"), () => exits++);
    const name = b.address("x").slice(2);
    hub.isolate(name);
    a.send(b.address("x"), { from: "x", name: "lost", body: new Uint8Array() });
    b.send(b.address("x"), { from: "x", name: "own", body: new Uint8Array() });
    await clock.advance(0);
    expect(exits).to.equal(2);
    hub.rejoin(name);
    a.send(b.address("x"), { from: "x", name: "found", body: new Uint8Array() });
    await clock.advance(0);
    expect(seen).to.deep.equal(["own", "found"]);
  });
});
