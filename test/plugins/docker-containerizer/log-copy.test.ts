import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect } from "chai";
import type { Engine } from "../../../plugins/docker-containerizer/engine.js";
import { LogCopy } from "../../../plugins/docker-containerizer/log-copy.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";

/** As the engine frames what a container wrote to its standard output. */
function frames(...texts: readonly string[]): Buffer {
  return Buffer.concat(
    texts.map((text) => {
      const head = Buffer.alloc(8);
      head[0] = 1;
      head.writeUInt32BE(Buffer.byteLength(text), 4);
      return Buffer.concat([head, Buffer.from(text)]);
    }),
  );
}

const timed = (...texts: readonly string[]): Buffer =>
  frames(...texts.map((text, index) => `2026-01-02T03:04:05.00000000${index}Z ${text}`));

describe("output of a Docker container", () => {
  let directory: string;
  let attached: PassThrough;
  let logs: { since: string | undefined; stream: PassThrough }[];
  let clock: VirtualClock;
  let copy: LogCopy;

  beforeEach(() => begin());

  async function begin({ tty = false } = {}): Promise<void> {
    directory = await mkdtemp(join(tmpdir(), "log-copy-"));
    attached = new PassThrough();
    logs = [];
    clock = new VirtualClock();
    const engine = {
      attach: async () => attached as unknown as IncomingMessage,
      logs: async (_name: string, { since }: { since?: string }) => {
        const stream = new PassThrough();
        logs.push({ since, stream });
        return stream as unknown as IncomingMessage;
      },
    } as unknown as Engine;
    const options = {
      engine,
      name: "c",
      handle: () => "c",
      tty,
      readable: true,
      record: join(directory, "record"),
      clock,
      logger: new MemoryLogger(),
    };
    copy = await LogCopy.begin(options, {
      stdout: join(directory, "stdout"),
      stderr: join(directory, "stderr"),
    });
    await copy.listen();
  }

  afterEach(end);

  async function end(): Promise<void> {
    await copy.close();
    await rm(directory, { recursive: true });
  }

  const stdout = () => readFile(join(directory, "stdout"), "utf8");
  const nextLog = async (): Promise<PassThrough> => {
    while (logs.length === 0) await new Promise(setImmediate);
    return logs.shift()!.stream;
  };

  it("is there when its end is told, without a word from the log", async () => {
    copy.started("json-file");
    attached.end(frames("one\n", "two\n"));
    await copy.finish();
    expect(await stdout()).to.equal("one\ntwo\n");
    (await nextLog()).end(timed("one\n", "two\n"));
    await copy.settled();
    expect(await stdout()).to.equal("one\ntwo\n");
  });

  it("is made whole from the log where the engine cut off who listened", async () => {
    attached.end(frames("one\n", "tw"));
    await copy.finish();
    (await nextLog()).end(timed("one\n", "two\n", "three\n"));
    await copy.settled();
    expect(await stdout()).to.equal("one\ntwo\nthree\n");
  });

  it("goes on from the log after a while, each byte once", async () => {
    copy.started("json-file");
    attached.write(frames("one\n"));
    while ((await stdout()) === "") await new Promise(setImmediate);
    await clock.advance(1000);
    const log = await nextLog();
    expect(attached.destroyed).to.equal(true);
    log.write(timed("one\n", "two\n"));
    while ((await stdout()) === "one\n") await new Promise(setImmediate);
    const ended = copy.finish();
    log.end();
    (await nextLog()).end(timed("one\n", "two\n", "three\n"));
    await ended;
    expect(await stdout()).to.equal("one\ntwo\nthree\n");
  });

  it("is made whole where the log of a terminal, which says no times, was given out too early", async () => {
    await end();
    await begin({ tty: true });
    copy.started("json-file");
    attached.write("one\r\n");
    while ((await stdout()) === "") await new Promise(setImmediate);
    await clock.advance(1000);
    const log = await nextLog();
    log.end("one\r\ntwo\r\n");
    while ((await stdout()) === "one\r\n") await new Promise(setImmediate);
    const ended = copy.finish();
    (await nextLog()).end("one\r\ntwo\r\nthree\r\n");
    await ended;
    expect(await stdout()).to.equal("one\r\ntwo\r\nthree\r\n");
  });
});
