import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parseCounters, parseLimit } from "../../../sdk/node-cgroup/control-file.js";
import { IoV1 } from "../../../sdk/node-cgroup/v1/io-v1.js";
import { weightOf } from "../../../sdk/node-cgroup/v2/cpu-v2.js";
import { parseIoStat } from "../../../sdk/node-cgroup/v2/io-v2.js";

describe("control files", () => {
  it("hold limits, or none", () => {
    expect(
      ["max", "-1", "9223372036854771712", "9223372036852678656", "0", "4096"].map(parseLimit),
    ).to.deep.equal([undefined, undefined, undefined, undefined, 0, 4096]);
  });

  it("hold counters by name", () => {
    expect(parseCounters("nr_periods 3\nthrottled_time 12345678901\n\n")).to.deep.equal({
      nr_periods: 3,
      throttled_time: 12_345_678_901,
    });
  });

  it("hold shares as weights on v2", () => {
    expect([1024, 512, 10, 2, 0, 102_400, 262_144].map(weightOf)).to.deep.equal([
      100, 50, 1, 1, 1, 10_000, 10_000,
    ]);
  });

  it("hold what devices did, by device and operation (v2)", () => {
    const text = "8:0 rbytes=90112 wbytes=4096 rios=3 wios=1 dbytes=0 dios=0\n253:1 \n(unknown) rbytes=1\n";
    const [device, ...others] = parseIoStat(text);
    expect(others).to.deep.equal([]);
    expect(device).to.deep.include({ device: { major: 8, minor: 0 }, serviceTime: [] });
    expect(device?.serviced).to.deep.equal([
      { operation: "Read", value: 3 },
      { operation: "Write", value: 1 },
      { operation: "Discard", value: 0 },
      { operation: "Total", value: 4 },
    ]);
    expect(device?.serviceBytes.at(-1)).to.deep.equal({ operation: "Total", value: 94_208 });
    expect(parseIoStat("")).to.deep.equal([]);
  });

  it("hold what devices did, by policy, device and operation (v1)", async () => {
    const directory = await mkdtemp(join(tmpdir(), "tepui-io-"));
    const files = {
      "blkio.throttle.io_serviced": "8:0 Read 5\n8:0 Write 1\n8:0 Total 6\nTotal 6\n",
      "blkio.throttle.io_service_bytes": "8:0 Read 4096\nTotal 4096\n",
      "blkio.throttle.io_serviced_recursive": "8:0 Read 50\nTotal 50\n",
      "blkio.io_merged": "8:16 Async 2\nTotal 2\n",
      "blkio.io_merged_recursive": "8:16 Async 4\nTotal 4\n",
      "blkio.sectors": "8:16 77\n",
      "blkio.bfq.time": "8:0 12\n",
      "blkio.reset_stats": "",
      "blkio.weight": "500\n",
    };
    try {
      for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
      const empty = { serviced: [], serviceBytes: [], serviceTime: [], waitTime: [], merged: [], queued: [] };
      const stat = new IoV1(directory).stat();
      expect(stat.throttling).to.deep.equal([
        {
          ...empty,
          device: { major: 8, minor: 0 },
          serviced: [
            { operation: "Read", value: 5 },
            { operation: "Write", value: 1 },
            { operation: "Total", value: 6 },
          ],
          serviceBytes: [{ operation: "Read", value: 4096 }],
        },
        {
          ...empty,
          serviced: [{ operation: "Total", value: 6 }],
          serviceBytes: [{ operation: "Total", value: 4096 }],
        },
      ]);
      const [eight, total] = [stat.scheduler.filter(({ device }) => device), stat.scheduler.at(-1)];
      expect(eight).to.have.deep.members([
        { ...empty, device: { major: 8, minor: 0 }, time: 12 },
        {
          ...empty,
          device: { major: 8, minor: 16 },
          sectors: 77,
          merged: [{ operation: "Async", value: 2 }],
        },
      ]);
      expect(total?.merged).to.deep.equal([{ operation: "Total", value: 2 }]);
      expect(stat.schedulerRecursive[0]?.merged).to.deep.equal([{ operation: "Async", value: 4 }]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
