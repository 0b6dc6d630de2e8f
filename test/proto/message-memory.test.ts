import { expect } from "chai";
import fc from "fast-check";
import { ReregisterSlaveMessage } from "../../proto/gen/mesos/internal/messages.js";
import { AgentID, FrameworkID } from "../../proto/gen/mesos/v1/mesos.js";
import { BinaryReader, BinaryWriter, MessageMemory } from "../../proto/wire/index.js";
import { messages } from "./arbitrary-messages.js";
import { descriptorOf } from "./descriptors.js";

const memory = new MessageMemory();
const decode = (bytes: Uint8Array) => ReregisterSlaveMessage.decode(new BinaryReader(bytes, memory));

const scalar = (name: string, value: number) => ({ name, type: 0, scalar: { value } });

const agent = (id: string): Buffer =>
  ReregisterSlaveMessage.encode(
    ReregisterSlaveMessage.fromPartial({
      slave: { id: { value: id }, hostname: id },
      frameworks: [{ id: { value: "f" }, user: "root", name: "f", roles: ["a", "b"] }],
      tasks: ["t1", "t2"].map((task) => ({
        name: task,
        task_id: { value: task },
        framework_id: { value: "f" },
        agent_id: { value: id },
        resources: [scalar("cpus", 1), scalar("mem", task === "t1" ? 32 : 64)],
      })),
    }),
  ).finish();

describe("a memory of messages", () => {
  it("gives what is decoded without one, whatever it remembers", () => {
    const type = descriptorOf("mesos.internal.ReregisterSlaveMessage");
    fc.assert(
      fc.property(messages(type), (message) => {
        const bytes = ReregisterSlaveMessage.encode(message as unknown as ReregisterSlaveMessage).finish();
        const plain = ReregisterSlaveMessage.decode(bytes);
        expect(decode(bytes)).to.deep.equal(plain);
        expect(decode(bytes)).to.deep.equal(plain);
      }),
      { numRuns: 300 },
    );
  });

  it("gives one object for the same bytes, and others for others", () => {
    const [one, two] = [decode(agent("S1")), decode(agent("S2"))];
    expect(one.frameworks[0]).to.equal(two.frameworks[0]);
    const [first, second] = one.tasks;
    expect(first!.agent_id).to.equal(one.slave!.id).and.to.equal(second!.agent_id);
    expect(two.tasks[0]!.agent_id).to.deep.equal({ value: "S2" });
    expect(first!.resources[0]).to.equal(two.tasks[1]!.resources[0]);
    expect(second!.resources[1]).not.to.equal(first!.resources[1]);
    expect(second!.resources[1]!.scalar).to.deep.equal({ value: 64 });
  });

  it("tells messages of two types apart that have the same bytes", () => {
    const bytes = new BinaryWriter().bytes(AgentID.encode({ value: "x" }).finish()).finish();
    const agentId = new BinaryReader(bytes, memory).remembered(AgentID);
    const frameworkId = new BinaryReader(bytes, memory).remembered(FrameworkID);
    expect(frameworkId).to.deep.equal(agentId);
    expect(frameworkId).not.to.equal(agentId);
  });

  it("keeps nothing of the bytes that it was read from", () => {
    const bytes = agent("S3");
    const before = decode(bytes);
    bytes.fill(0xff);
    expect(decode(agent("S3"))).to.deep.equal(before);
  });

  it("refuses bytes that are cut off, as they are refused without", () => {
    const bytes = agent("S4");
    decode(bytes);
    const attempt = (read: () => unknown): unknown => {
      try {
        return read();
      } catch (error) {
        return (error as Error).message;
      }
    };
    for (let end = 0; end < bytes.length; end++) {
      const cut = bytes.subarray(0, end);
      expect(attempt(() => decode(cut))).to.deep.equal(attempt(() => ReregisterSlaveMessage.decode(cut)));
    }
  });
});

describe("lists of messages", () => {
  it("have their items in their order, however many there are", () => {
    for (let count = 0; count <= 20; count++) {
      const tasks = Array.from({ length: count }, (_, i) => ({ name: `task ${i}` }));
      const bytes = ReregisterSlaveMessage.encode(ReregisterSlaveMessage.fromPartial({ tasks })).finish();
      const names = ReregisterSlaveMessage.decode(bytes).tasks.map(({ name }) => name);
      expect(names).to.deep.equal(tasks.map(({ name }) => name));
    }
  });
});
