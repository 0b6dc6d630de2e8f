import { existsSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { ContainerInfo_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import { eventually } from "../../support/eventually.js";
import { requirePart } from "../../support/require-part.js";
import { Reading } from "../launchers/switchboard-support.js";
import { ContainerizerBench } from "./support.js";

describe("Mesos containerizer, streams", () => {
  const benches: ContainerizerBench[] = [];

  before(function () {
    requirePart(this, "perl", "perl-base");
  });

  afterEach(async () => {
    for (const bench of benches.splice(0)) {
      for (const id of bench.containerizer.containers()) await bench.containerizer.destroy(id);
      await bench.close();
    }
  });

  async function open(directory?: string): Promise<ContainerizerBench> {
    const bench = await ContainerizerBench.open(directory === undefined ? {} : { directory });
    benches.push(bench);
    return bench;
  }

  async function launch(bench: ContainerizerBench, script: string, more: Partial<ContainerRequest> = {}) {
    const request = await bench.request(script, more);
    await bench.containerizer.launch(request);
    const streams = bench.containerizer.attach(request.containerId)!;
    return { request, streams };
  }

  const sockets = (bench: ContainerizerBench): string[] =>
    readdirSync(join(bench.directory, "records.streams"));

  it("attaches to an interactive container, also after the agent was started again", async () => {
    const bench = await open();
    const { request, streams } = await launch(bench, "while read line; do echo got $line; done", {
      interactive: true,
    });
    const before = new Reading(streams);
    const typing = await streams.input();
    await typing.write(Buffer.from("one\n"));
    await before.has("got one\n");
    before.abort.abort();
    typing.close();
    // Another agent finds what the first left.
    await bench.launcher.stop();
    const next = await open(bench.directory);
    await next.containerizer.recover([{ request }]);
    const again = next.containerizer.attach(request.containerId)!;
    const after = new Reading(again);
    const input = await again.input();
    await input.write(Buffer.from("two\n"));
    await after.has("got two\n");
    await input.end();
    expect(await after.end()).to.deep.equal({ stdout: "got two\n", stderr: "" });
    expect((await next.containerizer.wait(request.containerId))!.exit!.code).to.equal(0);
    await next.containerizer.destroy(request.containerId);
    expect(sockets(next)).to.deep.equal([]);
    benches.shift();
  });

  it("gives a terminal to a container that asks for one", async () => {
    const bench = await open();
    const { streams } = await launch(bench, "read line; tty; stty size", {
      container: {
        type: ContainerInfo_Type.MESOS,
        volumes: [],
        network_infos: [],
        tty_info: { window_size: { rows: 12, columns: 34 } },
      },
    });
    const reading = new Reading(streams);
    const input = await streams.input();
    await input.write(Buffer.from("\n"));
    expect((await reading.end()).stdout).to.match(/\/dev\/pts\/\d+\r\n12 34\r\n$/);
  });

  it("follows the files of a container that nobody holds the streams of, and refuses its input", async () => {
    const bench = await open();
    const { request, streams } = await launch(
      bench,
      "echo before; until [ -e go ]; do sleep 0.02; done; echo after; echo error >&2",
    );
    await eventually(() => (existsSync(join(request.directory, "stdout")) ? true : undefined));
    const problem = await streams.input().catch((error: unknown) => error);
    expect(problem).to.have.property("code", "TEPUI_CONTAINER_REQUEST_INVALID");
    const reading = new Reading(streams);
    await writeFile(join(request.directory, "go"), "");
    const { stdout, stderr } = await reading.end();
    expect(stdout.endsWith("after\n")).to.equal(true);
    expect(stderr).to.equal("error\n");
  });

  it("knows no streams of what is not there", async () => {
    const bench = await open();
    expect(bench.containerizer.attach({ value: "nobody" })).to.equal(undefined);
    const { request } = await launch(bench, "true", { interactive: true });
    await eventually(() =>
      bench.containerizer.attach(request.containerId) === undefined ? true : undefined,
    );
  });

  it("takes away the sockets of containers that nobody asks for", async () => {
    const bench = await open();
    await launch(bench, "sleep 60", { interactive: true });
    expect(sockets(bench)).to.have.length(1);
    await bench.launcher.stop();
    const next = await open(bench.directory);
    await next.containerizer.recover([]);
    expect(sockets(next)).to.deep.equal([]);
    benches.shift();
  });
});
