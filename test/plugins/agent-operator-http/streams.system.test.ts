import { expect } from "chai";
import {
  ProcessIO_Control_Type as ControlType,
  ProcessIO_Data_Type as DataType,
  type ProcessIO,
  ProcessIO_Type,
} from "../../../proto/gen/mesos/v1/agent/agent.js";
import { TepuiError } from "../../../sdk/errors/index.js";
import { eventually } from "../../support/eventually.js";
import { EndpointBench, HEARTBEAT_MS, RECORDS } from "./support.js";

const CHILD = { value: "child", parent: { value: "root" } };
const OUTPUT = { type: "ATTACH_CONTAINER_OUTPUT", attach_container_output: { container_id: CHILD } };
const SESSION = {
  type: "LAUNCH_NESTED_CONTAINER_SESSION",
  launch_nested_container_session: {
    container_id: CHILD,
    command: { value: "sh" },
    container: { type: "MESOS", tty_info: { window_size: { rows: 5, columns: 6 } } },
  },
};
const data = ({ data: part }: ProcessIO): string => `${DataType[part!.type!]} ${part!.data!.toString()}`;

describe("agent operator API, streams", () => {
  let bench: EndpointBench;

  beforeEach(async () => {
    bench = await EndpointBench.open();
  });
  afterEach(() => bench.close());

  const KINDS = [
    ["without Accept", {}, "application/json", undefined],
    [
      "in the old style, in protobuf",
      { accept: "application/x-protobuf" },
      "application/x-protobuf",
      undefined,
    ],
    ["as RecordIO", { accept: "application/recordio" }, "application/recordio", "application/json"],
    [
      "as RecordIO of protobuf",
      { accept: "application/recordio", "message-accept": "application/x-protobuf" },
      "application/recordio",
      "application/x-protobuf",
    ],
  ] as const;
  for (const [what, headers, type, messageType] of KINDS) {
    it(`sends the output ${what}`, async () => {
      const { streams } = bench.containers;
      const listening = await bench.listen(OUTPUT, headers);
      expect(listening.answer.statusCode).to.equal(200);
      expect(listening.answer.headers["content-type"]).to.equal(type);
      expect(listening.answer.headers["message-content-type"]).to.equal(messageType);
      streams.write("stdout", "one");
      await listening.has(1);
      streams.write("stderr", "two");
      streams.end();
      await eventually(() => (listening.ended ? true : undefined));
      expect(listening.records.map(data)).to.deep.equal(["STDOUT one", "STDERR two"]);
    });
  }

  it("sends heartbeats to who listens", async () => {
    const listening = await bench.listen(OUTPUT);
    await bench.clock.advance(HEARTBEAT_MS);
    await listening.has(1);
    const [record] = listening.records;
    expect(record!.type).to.equal(ProcessIO_Type.CONTROL);
    expect(record!.control!.type).to.equal(ControlType.HEARTBEAT);
    expect(record!.control!.heartbeat!.interval!.nanoseconds).to.equal(30_000_000_000n);
    listening.leave();
    await eventually(() => (bench.clock.pendingTimers === 0 ? true : undefined));
  });

  it("answers 404 where there is no such container", async () => {
    const part = { container_id: { value: "unknown" } };
    const answer = await bench.call({ type: "ATTACH_CONTAINER_OUTPUT", attach_container_output: part });
    expect(answer.status).to.equal(404);
  });

  it("lets go of the output when the client leaves", async () => {
    const { streams } = bench.containers;
    const listening = await bench.listen(OUTPUT);
    await eventually(() => (streams.readers === 1 ? true : undefined));
    listening.leave();
    await eventually(() => (streams.readers === 0 ? true : undefined));
  });

  it("asks for no more output than the client reads", async () => {
    const { streams } = bench.containers;
    streams.flood = { stream: "stdout", data: Buffer.alloc(64 * 1024) };
    const listening = await bench.listen(OUTPUT);
    listening.answer.pause();
    let before = -1;
    // It comes to a stand.
    await eventually(async () => {
      const stands = streams.asked === before && before > 1;
      before = streams.asked;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return stands ? true : undefined;
    });
    expect(streams.asked).to.be.lessThan(1000);
    listening.answer.resume();
    await eventually(() => (streams.asked > before + 100 ? true : undefined));
    listening.leave();
  });

  it("breaks off for a reader that was cut off", async () => {
    bench.containers.streams.failure = new TepuiError("TEPUI_CONTAINER_READER_SLOW");
    const listening = await bench.listen(OUTPUT);
    await eventually(() => (listening.broken ? true : undefined));
    expect(listening.ended).to.equal(false);
  });

  it("feeds a container, and answers when the client is done", async () => {
    const { streams } = bench.containers;
    const sending = bench.send().container(CHILD).type("hello\n");
    await eventually(() => (streams.typed.length === 1 ? true : undefined));
    sending
      .io({
        type: "CONTROL",
        control: { type: "TTY_INFO", tty_info: { window_size: { rows: 3, columns: 4 } } },
      })
      .io({ type: "CONTROL", control: { type: "HEARTBEAT", heartbeat: { interval: { nanoseconds: 1 } } } })
      .type("")
      .end();
    expect(await sending.status()).to.deep.equal({ status: 200, body: "" });
    expect(streams.typed).to.deep.equal(["data hello\n", "size 3x4", "end", "close"]);
  });

  it("answers when the container ends, though the client has more to send", async () => {
    const sending = bench.send().container(CHILD).type("x");
    await eventually(() => (bench.containers.streams.typed.length === 1 ? true : undefined));
    bench.containers.streams.end();
    expect((await sending.status()).status).to.equal(200);
    sending.leave();
  });

  it("lets one client write at a time, and another when that one has left", async () => {
    const { streams } = bench.containers;
    const first = bench.send().container(CHILD).type("x");
    await eventually(() => (streams.typed.length === 1 ? true : undefined));
    const second = await bench.send().container(CHILD).status();
    expect(second.status).to.equal(409);
    first.leave();
    await eventually(() => (streams.typed.includes("close") ? true : undefined));
    expect((await bench.send().container(CHILD).end().status()).status).to.equal(200);
  });

  const BAD: readonly (readonly [string, string, (sending: ReturnType<EndpointBench["send"]>) => unknown])[] =
    [
      ["no first record", "Received EOF while reading request body", (sending) => sending.end()],
      ["a record that is no call", "Failed to parse body into JSON", (sending) => sending.record("{")],
      [
        "input before the container is named",
        "Expecting 'attach_container_input.type' to be CONTAINER_ID",
        (sending) => sending.type("x"),
      ],
      [
        "a container that is named twice",
        "Expecting 'attach_container_input.type' to be 'PROCESS_IO' instead of: 'CONTAINER_ID'",
        (sending) => sending.container(CHILD).container(CHILD),
      ],
      [
        "output as input",
        "Expecting 'process_io.data.type' to be 'STDIN'",
        (sending) => sending.container(CHILD).io({ type: "DATA", data: { type: "STDOUT", data: "" } }),
      ],
      [
        "a terminal without a size",
        "Expecting 'tty_info.window_size' to be present",
        (sending) =>
          sending.container(CHILD).io({ type: "CONTROL", control: { type: "TTY_INFO", tty_info: {} } }),
      ],
    ];
  for (const [what, text, send] of BAD) {
    it(`refuses ${what}`, async () => {
      const sending = bench.send();
      send(sending);
      const { status, body } = await sending.status();
      expect([status, body.startsWith(text)], body).to.deep.equal([400, true]);
      sending.leave();
    });
  }

  it("refuses input of protobuf that is none", async () => {
    const sending = bench.send({ ...RECORDS, "message-content-type": "application/x-protobuf" });
    sending.record("\u0001");
    expect((await sending.status()).status).to.equal(400);
    sending.leave();
  });

  it("runs a session for as long as the client listens", async () => {
    const { containers } = bench;
    const listening = await bench.listen(SESSION, { accept: "application/recordio" });
    containers.streams.write("stdout", "$ ");
    await listening.has(1);
    const [launch] = containers.launches;
    expect(launch).to.include({ class: "debug", interactive: true });
    expect(launch!.container?.tty_info?.window_size).to.deep.equal({ rows: 5, columns: 6 });
    listening.leave();
    await eventually(() => (containers.calls.includes("kill 9 root.child") ? true : undefined));
  });

  it("leaves a session's end to be asked for", async () => {
    const { containers } = bench;
    const listening = await bench.listen(SESSION);
    containers.streams.end();
    await eventually(() => (listening.ended ? true : undefined));
    const wait = { type: "WAIT_NESTED_CONTAINER", wait_nested_container: { container_id: CHILD } };
    expect((await bench.call(wait)).status).to.equal(200);
    expect(containers.calls).not.to.include("destroy root.child");
  });

  it("answers 202 for a session that runs already, and 400 for one that cannot be launched", async () => {
    bench.containers.launched = "exists";
    expect((await bench.call(SESSION)).status).to.equal(202);
    bench.containers.launched = new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", {
      detail: "no such program",
    });
    expect(await bench.call(SESSION)).to.include({ status: 400, body: "no such program" });
  });
});
