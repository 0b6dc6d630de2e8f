import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { PortsIsolator } from "../../../plugins/ports-isolator/ports-isolator.js";
import { RootRecords } from "../../../plugins/ports-isolator/root-records.js";
import {
  ContainerInfo,
  TaskStatus_Reason,
  type Value_Range,
  Value_Type,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import { Resources } from "../../../sdk/resources/index.js";
import { isolatorSuite } from "../../../sdk/testing/isolator-suite.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { requestFor } from "../../support/container-request.js";

const INTERVAL = 30_000;

const portsOf = (...range: Value_Range[]): Resources =>
  Resources.of([{ name: "ports", type: Value_Type.RANGES, ranges: { range }, reservations: [] }]);

function request(id: string, resources: Resources, network?: string): ContainerRequest {
  const infos = network === undefined ? [] : [{ name: network }];
  return requestFor(id, { container: ContainerInfo.fromPartial({ network_infos: infos }), resources });
}

describe("network/ports", () => {
  let directory: string;
  let clock: VirtualClock;
  let logger: MemoryLogger;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-ports-"));
    clock = new VirtualClock();
    logger = new MemoryLogger();
    await mkdir(join(directory, "records"));
  });

  afterEach(async () => {
    for (const child of children.splice(0)) {
      process.kill(-child.pid!, "SIGKILL");
      await once(child, "exit");
    }
    await rm(directory, { recursive: true, force: true });
  });

  const isolatorOf = (
    options: { enforce?: boolean; isolated?: readonly Value_Range[] } = {},
  ): PortsIsolator =>
    new PortsIsolator({
      records: new RootRecords(join(directory, "records")),
      interval: INTERVAL,
      enforce: options.enforce ?? true,
      isolated: options.isolated,
      clock,
      logger,
    });

  /** A shell that leads a session, with a child that listens on a free port. */
  async function listener(): Promise<{ pid: number; port: number }> {
    const script = `require("net").createServer().listen(0, "::", function () { console.log(this.address().port) })`;
    const child = spawn("sh", ["-c", `"${process.execPath}" -e '${script}' & wait`], {
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
    children.push(child);
    const [port] = (await once(child.stdout!, "data")) as [Buffer];
    return { pid: child.pid!, port: Number(port.toString()) };
  }

  async function launched(isolator: PortsIsolator, resources: Resources, network?: string) {
    const { pid, port } = await listener();
    const id = `c${pid}`;
    await isolator.prepare(request(id, resources, network));
    await isolator.isolate(id, pid, {});
    return { id, pid, port };
  }

  it("ends a container that listens on a port which is not its own", async () => {
    const isolator = isolatorOf();
    await isolator.start();
    const { id, port } = await launched(isolator, portsOf({ begin: 1, end: 2 }));
    const limited = isolator.watch(id, new AbortController().signal);
    await clock.advance(INTERVAL);
    expect(await limited).to.deep.equal({
      message: `Container ${id} is listening on unallocated port(s): [${port}-${port}]`,
      reason: TaskStatus_Reason.REASON_CONTAINER_LIMITATION,
      limitation: {
        resources: [
          {
            name: "ports",
            type: Value_Type.RANGES,
            ranges: { range: [{ begin: port, end: port }] },
            reservations: [],
          },
        ],
      },
    });
    isolator.stop();
    expect(clock.pendingTimers).to.equal(0);
  });

  it("only logs it, once, where it is not to enforce", async () => {
    const isolator = isolatorOf({ enforce: false });
    const { id } = await launched(isolator, Resources.empty);
    let limited = false;
    isolator.watch(id, new AbortController().signal).then(
      () => (limited = true),
      () => undefined,
    );
    await isolator.look();
    await isolator.look();
    expect(logger.messages().filter((line) => line.includes("unallocated"))).to.have.length(1);
    expect(limited).to.equal(false);
  });

  it("lets a container listen on its own ports, also on those that it got later", async () => {
    const isolator = isolatorOf();
    const { id, pid, port } = await launched(isolator, Resources.empty);
    const own = portsOf({ begin: port, end: port });
    await isolator.update(id, { resources: own, limits: {}, pid });
    await isolator.look();
    expect(logger.messages()).to.deep.equal([]);
    await isolator.update(id, { resources: Resources.empty, limits: {}, pid });
    await isolator.look();
    expect(logger.messages()).to.have.length(1);
  });

  it("looks at the isolated ports only", async () => {
    const isolator = isolatorOf({ isolated: [{ begin: 1, end: 2 }] });
    await launched(isolator, Resources.empty);
    await isolator.look();
    expect(logger.messages()).to.deep.equal([]);
  });

  it("passes over containers with a network of their own, and what is no container's", async () => {
    const isolator = isolatorOf();
    await listener();
    await launched(isolator, Resources.empty, "alpha");
    await isolator.look();
    expect(logger.messages()).to.deep.equal([]);
  });

  it("knows the containers of an earlier run of the agent, and forgets the others", async () => {
    const first = isolatorOf();
    await first.start();
    const { id, port } = await launched(first, Resources.empty);
    const gone = await launched(first, Resources.empty);
    first.stop();
    const next = isolatorOf();
    await next.start();
    await next.recover([{ request: request(id, Resources.empty) }]);
    const limited = next.watch(id, new AbortController().signal);
    await next.look();
    expect((await limited).message).to.include(`[${port}-${port}]`);
    expect(await readdir(join(directory, "records"))).to.deep.equal([id]);
    expect(logger.messages().join()).not.to.include(gone.id);
    await next.cleanup(id);
    expect(await readdir(join(directory, "records"))).to.deep.equal([]);
    next.stop();
  });

  describe("as an isolator", () => {
    const suite = isolatorSuite(async () => {
      const isolator = isolatorOf();
      await isolator.start();
      return { isolator, directory, pid: (await listener()).pid, close: async () => isolator.stop() };
    });
    for (const { name, run } of suite) it(name, run);
  });
});
