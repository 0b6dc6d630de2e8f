import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { expect } from "chai";
import type { EngineExec } from "../../../plugins/docker-containerizer/engine.js";
import { execIn } from "../../../plugins/docker-containerizer/exec.js";

const command = { value: "check", uris: [], arguments: [] };

describe("Commands run by a Docker engine", () => {
  const children: ChildProcess[] = [];

  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });

  /** A command that runs, as an engine tells of it. */
  function running(): { child: ChildProcess; exec: EngineExec; output: PassThrough } {
    const child = spawn("sleep", ["1000"]);
    children.push(child);
    const output = new PassThrough();
    const inspect = async () => ({ exitCode: undefined, pid: child.pid! });
    return { child, output, exec: { output: output as unknown as IncomingMessage, inspect } };
  }

  const failure = (work: Promise<unknown>): Promise<unknown> => work.then(() => undefined, String);

  it("are killed when their time is over, and not waited for", async () => {
    const { child, exec, output } = running();
    const abort = new AbortController();
    const ended = failure(execIn({ exec: async () => exec }, { name: "c", command, signal: abort.signal }));
    setImmediate(() => abort.abort());
    expect(await ended).to.match(/abort/i);
    const [, signal] = await once(child, "exit");
    expect(signal).to.equal("SIGKILL");
    expect(output.destroyed).to.equal(true);
  });

  it("that the engine does not start in time are over, and killed when it does yet", async () => {
    const { child, exec } = running();
    const abort = new AbortController();
    let start: (exec: EngineExec) => void = () => undefined;
    const starting = new Promise<EngineExec>((resolve) => {
      start = resolve;
    });
    const ended = failure(execIn({ exec: () => starting }, { name: "c", command, signal: abort.signal }));
    abort.abort();
    expect(await ended).to.match(/abort/i);
    start(exec);
    const [, signal] = await once(child, "exit");
    expect(signal).to.equal("SIGKILL");
  });

  it("of which the engine does not say in time how they ended are over", async () => {
    const { exec, output } = running();
    const abort = new AbortController();
    let asked: () => void = () => undefined;
    const inspected = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const silent: EngineExec = {
      ...exec,
      inspect: () => {
        asked();
        return new Promise(() => undefined);
      },
    };
    const ended = failure(execIn({ exec: async () => silent }, { name: "c", command, signal: abort.signal }));
    output.end();
    await inspected;
    abort.abort();
    expect(await ended).to.match(/abort/i);
  });

  it("tell how they ended, and are left alone then", async () => {
    const { child, exec, output } = running();
    output.end("said");
    const inspect = async () => ({ exitCode: 3, pid: child.pid! });
    const { signal } = new AbortController();
    const exit = await execIn({ exec: async () => ({ ...exec, inspect }) }, { name: "c", command, signal });
    expect(exit).to.deep.equal({ code: 3, signal: undefined });
    expect(child.exitCode ?? child.signalCode).to.equal(null);
  });
});
