import { expect } from "chai";
import { blkioStatistics } from "../../../plugins/cgroups-isolators/io.js";
import { memoryLimitation, ranIntoLimit } from "../../../plugins/cgroups-isolators/memory-limitation.js";
import { CgroupInfo_Blkio_Operation as Operation } from "../../../proto/gen/mesos/v1/mesos.js";
import { deviceNumbers } from "../../../sdk/isolation/index.js";
import type { Cgroup, IoDeviceStat, MemoryControl } from "../../../sdk/node-cgroup/index.js";

const MB = 1024 * 1024;

describe("statistics of block devices", () => {
  const nothing: IoDeviceStat = {
    serviced: [],
    serviceBytes: [],
    serviceTime: [],
    waitTime: [],
    merged: [],
    queued: [],
  };

  it("have Mesos's form, with the sum of all devices last", () => {
    const disk: IoDeviceStat = {
      ...nothing,
      device: { major: 8, minor: 0 },
      serviced: [{ operation: "Read", value: 3 }, { value: 5 }],
      serviceBytes: [{ operation: "Discard", value: 4096 }],
    };
    const total: IoDeviceStat = { ...nothing, serviced: [{ operation: "Total", value: 8 }] };
    const { throttling, cfq, cfq_recursive } = blkioStatistics({
      throttling: [disk, total],
      scheduler: [{ ...disk, sectors: 2, time: 9 }],
      schedulerRecursive: [],
    });
    expect(throttling).to.deep.equal([
      {
        device: { major_number: 8n, minor_number: 0n },
        io_serviced: [
          { op: Operation.READ, value: 3n },
          { op: Operation.UNKNOWN, value: 5n },
        ],
        io_service_bytes: [{ op: Operation.DISCARD, value: 4096n }],
      },
      { io_serviced: [{ op: Operation.TOTAL, value: 8n }], io_service_bytes: [] },
    ]);
    expect(cfq).to.have.length(2);
    expect(cfq[0]).to.include({ sectors: 2n, time: 9n });
    expect(cfq[1]).to.not.have.property("device");
    expect(cfq_recursive).to.have.length(1);
  });
});

describe("running out of memory", () => {
  const groupOf = (memory: Partial<MemoryControl>): Cgroup => ({ memory }) as Cgroup;
  const state = (kills: number, limit: number | undefined, peak: number | undefined) =>
    groupOf({ oomKills: () => kills, limit: () => limit, peak: () => peak });

  it("is the container's doing when it was at its limit, and the host's otherwise", () => {
    expect(ranIntoLimit(state(1, 64 * MB, 64 * MB))).to.equal(true);
    expect(ranIntoLimit(state(1, 64 * MB, 64 * MB - 8192))).to.equal(true);
    expect(ranIntoLimit(state(0, 64 * MB, 64 * MB))).to.equal(false);
    expect(ranIntoLimit(state(1, 64 * MB, 40 * MB)), "the host ran out of memory").to.equal(false);
    expect(ranIntoLimit(state(1, undefined, 40 * MB)), "there is no limit").to.equal(false);
    expect(ranIntoLimit(state(1, 64 * MB, undefined)), "nobody knows the peak").to.equal(true);
  });

  it("is told in Mesos's words", () => {
    const memory = {
      limit: () => 64 * MB,
      peak: () => 48 * MB,
      counters: () => ({ anon: 12, unlimited: 2 ** 63 - 4096 }),
    };
    const { message, limitation } = memoryLimitation(groupOf(memory));
    expect(message).to.equal(
      "Memory limit exceeded: Requested: 64MB Maximum Used: 48MB\n\nMEMORY STATISTICS: \nanon 12\nunlimited 9223372036854771712\n\n",
    );
    expect(limitation?.resources[0]?.scalar?.value).to.equal(48);
  });
});

describe("a device number", () => {
  it("is taken apart as the kernel put it together", () => {
    expect(deviceNumbers(0x103)).to.deep.equal({ major: 1, minor: 3 });
    expect(deviceNumbers(0xaed)).to.deep.equal({ major: 10, minor: 237 });
    // As glibc's makedev(3) does.
    const packed = (major: bigint, minor: bigint): bigint =>
      (minor & 0xffn) | ((major & 0xfffn) << 8n) | ((minor & ~0xffn) << 12n) | ((major & ~0xfffn) << 32n);
    expect(deviceNumbers(Number(packed(0x12345n, 0xabcden)))).to.deep.equal({
      major: 0x12345,
      minor: 0xabcde,
    });
  });
});
