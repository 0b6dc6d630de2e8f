import { expect } from "chai";
import * as codecs from "../../../proto/gen/json/mesos/v1/agent/agent.js";
import { Call_Type } from "../../../proto/gen/mesos/v1/agent/agent.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { EndpointBench } from "./support.js";

const CHILD = { value: "child", parent: { value: "root" } };
const UNKNOWN = { value: "unknown", parent: { value: "root" } };

describe("agent operator API, calls for containers", () => {
  let bench: EndpointBench;

  beforeEach(async () => {
    bench = await EndpointBench.open();
  });
  afterEach(() => bench.close());

  it("launches, signals and removes nested containers and others", async () => {
    const { containers } = bench;
    const launch = { container_id: CHILD, command: { value: "sleep 1" } };
    const answers = [
      await bench.call({ type: "LAUNCH_NESTED_CONTAINER", launch_nested_container: launch }),
      await bench.call({
        type: "LAUNCH_CONTAINER",
        launch_container: {
          container_id: { value: "alone" },
          resources: [{ name: "cpus", type: "SCALAR", scalar: { value: 0.1 } }],
          limits: { mem: { value: 64 } },
        },
      }),
      await bench.call({
        type: "KILL_NESTED_CONTAINER",
        kill_nested_container: { container_id: CHILD, signal: 15 },
      }),
      await bench.call({ type: "KILL_CONTAINER", kill_container: { container_id: { value: "alone" } } }),
      await bench.call({ type: "REMOVE_NESTED_CONTAINER", remove_nested_container: { container_id: CHILD } }),
      await bench.call({ type: "REMOVE_CONTAINER", remove_container: { container_id: { value: "alone" } } }),
    ];
    expect(answers.map(({ status, body }) => [status, body])).to.deep.equal(answers.map(() => [200, ""]));
    expect(containers.calls).to.deep.equal([
      "launch root.child",
      "launch alone",
      "kill 15 root.child",
      "kill 9 alone",
      "remove root.child",
      "remove alone",
    ]);
    expect(containers.launches[0]!.command?.value).to.equal("sleep 1");
    expect(containers.launches[1]!.limits).to.deep.equal({ mem: 64 });
    containers.launched = "exists";
    const again = await bench.call({ type: "LAUNCH_NESTED_CONTAINER", launch_nested_container: launch });
    expect(again.status).to.equal(202);
  });

  it("tells how a container ended with the status of wait(2)", async () => {
    const nested = { type: "WAIT_NESTED_CONTAINER", wait_nested_container: { container_id: CHILD } };
    const { status, body, type } = await bench.call(nested);
    expect([status, type]).to.deep.equal([200, "application/json"]);
    expect(JSON.parse(body)).to.deep.equal({
      type: "WAIT_NESTED_CONTAINER",
      wait_nested_container: { exit_status: 768 },
    });
    bench.containers.termination = { exit: { code: undefined, signal: 9 }, message: "killed" };
    const waiting = codecs.Call.encode({
      ...codecs.Call.json.read("{}"),
      type: Call_Type.WAIT_CONTAINER,
      wait_container: { container_id: { value: "alone" } },
    });
    const answer = await bench.call(waiting, {
      "content-type": "application/x-protobuf",
      accept: "application/json",
    });
    expect(JSON.parse(answer.body)).to.deep.equal({
      type: "WAIT_CONTAINER",
      wait_container: { exit_status: 9, message: "killed" },
    });
  });

  it("waits no longer for the end of a container than its client does", async () => {
    const { containers } = bench;
    containers.endless = [];
    const { endless } = containers;
    for (const type of ["WAIT_NESTED_CONTAINER", "WAIT_CONTAINER"]) {
      const before = endless.length;
      const leave = bench.ask({ type, [type.toLowerCase()]: { container_id: CHILD } });
      while (endless.length === before) await new Promise((resolve) => setImmediate(resolve));
      expect(endless.at(-1)!.aborted).to.equal(false);
      leave();
      while (!endless.at(-1)!.aborted) await new Promise((resolve) => setImmediate(resolve));
    }
  });

  it("answers 404 for who is not there, and 400 for a launch that fails", async () => {
    const wait = { type: "WAIT_NESTED_CONTAINER", wait_nested_container: { container_id: UNKNOWN } };
    expect(await bench.call(wait)).to.include({
      status: 404,
      body: "Container root.unknown cannot be found",
    });
    bench.containers.launched = new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", {
      detail: "no such program",
    });
    const launch = { type: "LAUNCH_NESTED_CONTAINER", launch_nested_container: { container_id: CHILD } };
    expect(await bench.call(launch)).to.include({ status: 400, body: "no such program" });
  });

  const REFUSALS: readonly (readonly [string, object, string])[] = [
    ["no type", {}, "Expecting 'type' to be present"],
    ["no part", { type: "WAIT_CONTAINER" }, "Expecting 'wait_container' to be present"],
    [
      "an id that would be a path",
      { type: "WAIT_CONTAINER", wait_container: { container_id: { value: "../x" } } },
      "'wait_container.container_id' is invalid: '../x' contains invalid characters",
    ],
    [
      "a nested container without a parent",
      { type: "KILL_NESTED_CONTAINER", kill_nested_container: { container_id: { value: "x" } } },
      "Expecting 'kill_nested_container.container_id.parent' to be present",
    ],
  ];
  for (const [what, call, text] of REFUSALS) {
    it(`refuses ${what}`, async () => {
      const answer = await bench.call(call);
      expect(answer).to.include({ status: 400, body: `Failed to validate agent::Call: ${text}` });
    });
  }

  it("answers 501 for what it does not know, and 405 for other methods", async () => {
    expect((await bench.call({ type: "UNKNOWN" })).status).to.equal(501);
    expect(await bench.get()).to.equal(405);
  });

  const output = { type: "ATTACH_CONTAINER_OUTPUT", attach_container_output: { container_id: CHILD } };
  const HEADERS: readonly (readonly [string, number, Record<string, string>, object])[] = [
    ["a type of body that is no message", 415, { "content-type": "text/plain" }, output],
    ["a message type for what is no stream", 415, { "message-content-type": "application/json" }, output],
    ["a stream without the type of its messages", 400, { "content-type": "application/recordio" }, output],
    [
      "a stream of other messages",
      415,
      { "content-type": "application/recordio", "message-content-type": "text/plain" },
      output,
    ],
    ["an answer of another type", 406, { accept: "text/html" }, output],
    [
      "a message type for an answer that is no stream",
      406,
      { accept: "application/json", "message-accept": "application/json" },
      output,
    ],
    [
      "a stream of other messages as the answer",
      406,
      { accept: "application/recordio", "message-accept": "text/plain" },
      output,
    ],
    [
      "a stream where there is one answer",
      406,
      { accept: "application/recordio" },
      { type: "WAIT_CONTAINER", wait_container: { container_id: { value: "c" } } },
    ],
    [
      "input that is no stream",
      415,
      {},
      {
        type: "ATTACH_CONTAINER_INPUT",
        attach_container_input: { type: "CONTAINER_ID", container_id: CHILD },
      },
    ],
  ];
  for (const [what, status, headers, call] of HEADERS) {
    it(`refuses ${what} with ${status}`, async () => {
      expect((await bench.call(call, headers)).status).to.equal(status);
    });
  }
});
