import { PassThrough } from "node:stream";
import { expect } from "chai";
import type { Engine, RegistryAuth } from "../../../plugins/docker-containerizer/engine.js";
import { EngineError } from "../../../plugins/docker-containerizer/engine-error.js";
import { type ContainerEvent, EventStream } from "../../../plugins/docker-containerizer/event-stream.js";
import { imageName } from "../../../plugins/docker-containerizer/image-name.js";
import { ImagePuller } from "../../../plugins/docker-containerizer/image-puller.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { eventually } from "../../support/eventually.js";

const NEVER = new AbortController().signal;
const app = imageName("r/app:1");

describe("pulls of a Docker engine", () => {
  /** Pulls that were asked for, to be answered by the test. */
  function scripted() {
    const asked: { stream: PassThrough; signal: AbortSignal; auth: RegistryAuth | undefined }[] = [];
    const pull = async (
      _image: unknown,
      options: { auth: RegistryAuth | undefined; signal: AbortSignal },
    ) => {
      const stream = new PassThrough();
      asked.push({ stream, ...options });
      return stream;
    };
    const measured: number[] = [];
    const timer = { record: () => undefined, start: () => () => measured.push(1) };
    const engine = { socket: "/s", pull } as unknown as Engine;
    return { asked, measured, puller: new ImagePuller(engine, timer) };
  }

  it("are shared by all who wait for the same image with the same credentials", async () => {
    const { asked, measured, puller } = scripted();
    const both = [puller.pull(app, undefined, NEVER), puller.pull(app, undefined, NEVER)];
    const other = puller.pull(app, { username: "u", serveraddress: "r" }, NEVER);
    expect(asked.map(({ auth }) => auth?.username)).to.deep.equal([undefined, "u"]);
    for (const { stream } of asked) stream.end('{"status":"Downloading"}\n{"status":"Done"}\n');
    await Promise.all([...both, other]);
    expect(measured.length).to.equal(2);
    const again = puller.pull(app, undefined, NEVER);
    expect(asked.length).to.equal(3);
    asked[2]!.stream.end();
    await again;
  });

  it("go on for those who still wait, and stop with the last", async () => {
    const { asked, puller } = scripted();
    const [first, second] = [new AbortController(), new AbortController()];
    const waiting = [first, second].map(({ signal }) =>
      puller.pull(app, undefined, signal).then(String, (error: Error) => error.message),
    );
    first.abort(new Error("destroyed"));
    expect(await waiting[0]).to.equal("destroyed");
    expect(asked[0]!.signal.aborted).to.equal(false);
    second.abort(new Error("destroyed too"));
    expect(await waiting[1]).to.equal("destroyed too");
    expect(asked[0]!.signal.aborted).to.equal(true);
    const next = puller.pull(app, undefined, NEVER);
    expect(asked.length).to.equal(2);
    asked[1]!.stream.end();
    await next;
  });

  for (const [name, text, problem] of [
    ["an error line", '{"error":"manifest unknown"}\n', "image 'r/app:1' cannot be pulled: manifest unknown"],
    ["a line that is no JSON", "<html>\n", "JSON"],
  ] as const) {
    it(`fail with ${name}`, async () => {
      const { asked, puller } = scripted();
      const pulled = puller.pull(app, undefined, NEVER).then(String, (error: Error) => error.message);
      asked[0]!.stream.end(text);
      expect(await pulled).to.include(problem);
    });
  }

  it("fail with the connection", async () => {
    const { asked, puller } = scripted();
    const pulled = puller.pull(app, undefined, NEVER).then(String, (error: Error) => error.message);
    await eventually(() => (asked[0]!.stream.listenerCount("error") > 0 ? true : undefined));
    asked[0]!.stream.destroy(Object.assign(new Error("aborted"), { code: "ECONNRESET" }));
    expect(await pulled).to.equal("the Docker daemon cannot be reached at /s: aborted");
  });
});

describe("events of a Docker engine", () => {
  it("are taken from whatever the daemon says, and missed for as long as it is away", async () => {
    const clock = new VirtualClock();
    const logger = new MemoryLogger();
    const streams: PassThrough[] = [];
    let away = false;
    let abandoned = 0;
    let returned = 0;
    const engine = {
      socket: "/s",
      events: async () => {
        if (away) throw new EngineError("unreachable", "nobody");
        streams.push(new PassThrough());
        return streams.at(-1);
      },
      abandon: () => abandoned++,
    } as unknown as Engine;
    const events: ContainerEvent[] = [];
    const stream = new EventStream({
      engine,
      label: "a=b",
      clock,
      logger,
      onEvent: (event) => events.push(event),
      onReconnected: () => returned++,
    });
    await stream.open();
    const event = (Action: string, Attributes: object, ID?: string) =>
      `${JSON.stringify({ Action, Actor: { ID, Attributes } })}\n`;
    streams[0]!.write(`{"Action":"die"}\n[]\nnull\nno json\n${event("pause", { name: "mesos-x" })}`);
    streams[0]!.write(event("oom", { name: "mesos-a" }));
    streams[0]!.write(event("die", { name: "mesos-a", exitCode: "137" }, "f00d"));
    streams[0]!.write(event("die", { name: "renamed", "tepui.container": "b", exitCode: "?" }, "beef"));
    await eventually(() => (events.length === 3 ? true : undefined));
    expect(events).to.deep.equal([
      { id: "a", handle: "mesos-a", action: "oom", exitCode: undefined },
      { id: "a", handle: "f00d", action: "die", exitCode: 137 },
      { id: "b", handle: "beef", action: "die", exitCode: undefined },
    ]);
    away = true;
    streams[0]!.destroy(new Error("reset"));
    await eventually(() => (abandoned === 1 ? true : undefined));
    expect(logger.messages("warn")).to.include("the Docker daemon went away: reset");
    for (let i = 0; i < 5; i++) await clock.advance(5000);
    expect(returned).to.equal(0);
    away = false;
    await clock.advance(5000);
    await eventually(() => (returned === 1 ? true : undefined));
    streams[1]!.write(event("die", { name: "mesos-c", exitCode: "0" }));
    await eventually(() => (events.length === 4 ? true : undefined));
    streams[1]!.end();
    await stream.close();
  });
});
