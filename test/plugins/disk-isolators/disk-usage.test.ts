import { expect } from "chai";
import { DiskUsageIsolator } from "../../../plugins/disk-isolators/disk-usage-isolator.js";
import { TaskStatus_Reason as Reason, type Resource } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import { Resources } from "../../../sdk/resources/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { disk } from "./disk-resource.js";

const MB = 1024n * 1024n;

describe("disk/du", () => {
  let clock: VirtualClock;
  let sizes: Map<string, bigint>;
  let asked: { directory: string; without: readonly string[] }[];

  const volume = disk(8, {
    reservations: [{ type: 2, role: "r" }],
    disk: { persistence: { id: "data" }, volume: { container_path: "data", mode: 1 } },
  });
  const request = (id: string, resources: readonly Resource[]): ContainerRequest =>
    ({
      containerId: { value: id },
      directory: `/agent/${id}`,
      resources: Resources.of(resources),
    }) as ContainerRequest;
  const isolator = (enforce = true): DiskUsageIsolator =>
    new DiskUsageIsolator({
      workDir: "/agent",
      interval: 15_000,
      enforce,
      measure: async (directory, { without }) => {
        asked.push({ directory, without });
        const size = sizes.get(directory);
        if (size === undefined) throw new Error("no such directory");
        return size;
      },
      clock,
      logger: new MemoryLogger(),
    });

  beforeEach(() => {
    clock = new VirtualClock();
    sizes = new Map();
    asked = [];
  });

  it("measures sandbox and volumes apart, every interval", async () => {
    const du = isolator();
    sizes.set("/agent/a", 3n * MB).set("/agent/volumes/roles/r/data", 5n * MB);
    await du.prepare(request("a", [disk(10), volume]));
    du.start();
    expect(asked).to.deep.equal([]);
    await clock.advance(15_000);
    expect(asked).to.deep.equal([
      { directory: "/agent/a", without: ["/agent/a/data"] },
      { directory: "/agent/volumes/roles/r/data", without: [] },
    ]);
    const { disk_statistics: each, ...sandbox } = await du.usage("a");
    expect(sandbox).to.deep.equal({ disk_limit_bytes: 10n * MB, disk_used_bytes: 3n * MB });
    expect(each).to.deep.equal([
      { limit_bytes: 10n * MB, used_bytes: 3n * MB },
      { limit_bytes: 8n * MB, used_bytes: 5n * MB, persistence: { id: "data" } },
    ]);
    await clock.advance(15_000);
    expect(asked).to.have.length(4);
    du.stop();
    await clock.advance(60_000);
    expect(asked).to.have.length(4);
  });

  it("reports a container that holds more than it may, with the figures", async () => {
    const du = isolator();
    sizes.set("/agent/a", 10n * MB + 4096n);
    await du.prepare(request("a", [disk(10)]));
    const limited = du.watch("a", new AbortController().signal);
    await du.round();
    const { reason, message, limitation } = await limited;
    expect(reason).to.equal(Reason.REASON_CONTAINER_LIMITATION_DISK);
    expect(message).to.equal("Disk usage (10244KB) exceeds quota (10MB)");
    expect(limitation?.resources.map(({ name, scalar }) => [name, scalar?.value])).to.deep.equal([
      ["disk", 10],
    ]);
  });

  it("only measures where nothing is enforced, and where the disk itself is the limit", async () => {
    const source = { type: 2, mount: { root: "/mnt/one" } };
    const mounted = disk(8, {
      reservations: [{ type: 2, role: "r" }],
      disk: { source, persistence: { id: "own" }, volume: { container_path: "own", mode: 1 } },
    });
    sizes.set("/agent/a", 11n * MB).set("/mnt/one", 9n * MB);
    for (const [du, resources] of [
      [isolator(false), [disk(10)]],
      [isolator(true), [mounted]],
    ] as const) {
      await du.prepare(request("a", resources));
      let told = false;
      void du.watch("a", new AbortController().signal).then(() => {
        told = true;
      });
      await du.round();
      expect(told).to.equal(false);
    }
    expect(asked.map(({ directory }) => directory)).to.deep.equal(["/agent/a", "/mnt/one"]);
  });

  it("goes by the quota that the container has by then", async () => {
    const du = isolator();
    sizes.set("/agent/a", 15n * MB);
    const { resources } = request("a", [disk(20)]);
    await du.prepare(request("a", [disk(10)]));
    await du.update("a", { resources, limits: {}, pid: 1 });
    await du.round();
    expect((await du.usage("a")).disk_limit_bytes).to.equal(20n * MB);
    let told = false;
    void du.watch("a", new AbortController().signal).then(() => {
      told = true;
    });
    await du.round();
    expect(told).to.equal(false);
  });

  it("goes on with the others when one cannot be measured, and forgets containers that ended", async () => {
    const du = isolator();
    sizes.set("/agent/b", MB);
    await du.prepare(request("a", [disk(10)]));
    await du.prepare(request("b", [disk(10)]));
    await du.round();
    expect((await du.usage("a")).disk_used_bytes).to.equal(undefined);
    expect((await du.usage("b")).disk_used_bytes).to.equal(MB);
    await du.cleanup("b");
    expect(await du.usage("b")).to.deep.equal({});
  });
});
