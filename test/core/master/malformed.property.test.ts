import { expect } from "chai";
import fc from "fast-check";
import { Call } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { isMessageName, missingRequired, wire } from "../../../proto/json/index.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { messages } from "../../proto/arbitrary-messages.js";
import { descriptorOf } from "../../proto/descriptors.js";
import { TestAgent } from "./harness/agent.js";
import { MasterHarness } from "./harness/master-harness.js";

const RUNS = { numRuns: 150, seed: 20_261_122 };

const NAMES = [
  "RegisterSlaveMessage",
  "ReregisterSlaveMessage",
  "UnregisterSlaveMessage",
  "UpdateSlaveMessage",
  "StatusUpdateMessage",
  "ExitedExecutorMessage",
  "ExecutorToFrameworkMessage",
  "UpdateOperationStatusMessage",
  "PongSlaveMessage",
  "NoSuchMessage",
].map((name) => `mesos.internal.${name}`);

/** A master with an agent and a framework, so that messages have something to be about. */
async function setUp() {
  const harness = await new MasterHarness().start();
  const options = { name: "a", pid: "slave(1)@10.0.0.1:5051", resources: "cpus:4;mem:512" };
  const agent = new TestAgent(options, harness.transport);
  harness.transport.sent = (to, message) => {
    if (to === agent.pid) agent.take(message);
  };
  agent.register();
  await harness.settle();
  return { harness, agent, ...subscribe(harness) };
}

function subscribe(harness: MasterHarness) {
  const framework_info = { user: "u", name: "n" };
  const stream = harness.subscribe(JSON.stringify({ type: "SUBSCRIBE", subscribe: { framework_info } }));
  return { stream, frameworkId: stream.events[0]?.subscribed?.framework_id?.value ?? "" };
}

/** Replaces the ids of agent and framework, so that a message is not about strangers only. */
function aim(value: unknown, ids: { agent: string; framework: string }): unknown {
  if (typeof value !== "object" || value === null || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map((item) => aim(item, ids));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (item === undefined) return [key, item];
      if (key === "slave_id" || key === "agent_id") return [key, { value: ids.agent }];
      if (key === "framework_id") return [key, { value: ids.framework }];
      return [key, aim(item, ids)];
    }),
  );
}

describe("the master, given nonsense,", () => {
  it("drops bodies that are not messages", async () => {
    const { harness, agent } = await setUp();
    const bodies = fc.tuple(fc.constantFrom(...NAMES), fc.uint8Array({ maxLength: 64 }));
    await fc.assert(
      fc.asyncProperty(bodies, async ([name, body]) => {
        harness.transport.deliver("master", { from: agent.pid, name, body });
        await harness.settle();
      }),
      RUNS,
    );
    expect(harness.master.leadership().role).to.equal("leading");
  });

  it("survives every message that an agent could send", async function () {
    this.timeout(60_000);
    const { harness, agent, frameworkId } = await setUp();
    for (const name of NAMES) {
      if (!isMessageName(name)) continue;
      await fc.assert(
        fc.asyncProperty(messages(descriptorOf(name)), fc.boolean(), async (message, aimed) => {
          const sent = aimed ? aim(message, { agent: agent.id, framework: frameworkId }) : message;
          const body = (wire(name) as { encode(message: unknown): Uint8Array }).encode(sent);
          harness.transport.deliver("master", { from: agent.pid, name, body });
          await harness.settle();
        }),
        { ...RUNS, numRuns: 60 },
      );
    }
    const failures = harness.logger.lines.filter(({ level }) => level === "error");
    expect(failures.map(({ message, fields }) => `${message}: ${fields.err}`)).to.deep.equal([]);
    expect(harness.master.leadership().role).to.equal("leading");
  });

  it("answers or refuses every call of a scheduler", async function () {
    this.timeout(60_000);
    const { harness, agent, ...first } = await setUp();
    let { stream, frameworkId } = first;
    await fc.assert(
      fc.asyncProperty(messages(descriptorOf("mesos.v1.scheduler.Call")), async (message) => {
        // The call before may have been a TEARDOWN.
        if (stream.closed) ({ stream, frameworkId } = subscribe(harness));
        const aimed = aim(message, { agent: agent.id, framework: frameworkId });
        const call = Call.decode(Call.encode(aimed as Call).finish());
        if (missingRequired("mesos.v1.scheduler.Call", call).length > 0) return;
        try {
          harness.master.validate(call);
          if (call.subscribe !== undefined && call.type === 1) return;
          await harness.master.call({ call, principal: undefined, streamId: stream.streamId });
        } catch (error) {
          if (!isTepuiError(error)) throw error;
        }
        await harness.settle();
      }),
      { ...RUNS, numRuns: 600 },
    );
    expect(harness.master.leadership().role).to.equal("leading");
  });
});
