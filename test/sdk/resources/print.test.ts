import { expect } from "chai";
import {
  Resource_DiskInfo_Source_Type as DiskSourceType,
  Volume_Mode,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { resourceText } from "../../../sdk/resources/index.js";
import { disk, dynamic, fixed, mountDisk, of, pathDisk, ranges, scalar, set, volume } from "./build.js";

describe("resource texts", () => {
  const hostVolume = volume({ size: 1 });
  hostVolume.disk!.volume = { container_path: "in", host_path: "/out", mode: Volume_Mode.RO };
  const texts: [string, Parameters<typeof resourceText>[0]][] = [
    ["cpus:0.5", scalar("cpus", 0.5)],
    ["cpus:1.234", scalar("cpus", 1.2344)],
    ["cpus(allocated: ads):1", scalar("cpus", 1, { allocation_info: { role: "ads" } })],
    [
      "ports:[1-2, 5-6]",
      ranges("ports", [
        [1, 2],
        [5, 6],
      ]),
    ],
    ["zones:{a, b}", set("zones", ["a", "b"])],
    ["cpus{REV}:1", scalar("cpus", 1, { revocable: {} })],
    [
      "cpus(reservations: [(STATIC,ads),(DYNAMIC,ads/web,bob,{k: v, flag})]):1",
      scalar("cpus", 1, {
        reservations: [
          fixed("ads"),
          dynamic("ads/web", {
            principal: "bob",
            labels: { labels: [{ key: "k", value: "v" }, { key: "flag" }] },
          }),
        ],
      }),
    ],
    ["disk[PATH:/a]:1", pathDisk(1, "/a")],
    ["disk[MOUNT:/m]:1", mountDisk(1, "/m")],
    ["disk[PATH]:1", disk(1, DiskSourceType.PATH)],
    ["disk[RAW(vendor,id,)]:1", disk(1, DiskSourceType.RAW, { vendor: "vendor", id: "id" })],
    ["disk[BLOCK(,,fast)]:1", disk(1, DiskSourceType.BLOCK, { profile: "fast" })],
    ["disk(reservations: [(DYNAMIC,ads)])[id1:data]<SHARED>:3", volume({ size: 3, shared: true })],
    ["disk(reservations: [(DYNAMIC,ads)])[id1:/out:in:ro]:1", hostVolume],
    [
      "disk(reservations: [(DYNAMIC,ads)])[MOUNT:/m,id1:data]:3",
      volume({ size: 3, source: { type: DiskSourceType.MOUNT, mount: { root: "/m" } } }),
    ],
  ];
  for (const [text, message] of texts) {
    it(text, () => {
      expect(resourceText(message)).to.equal(text);
    });
  }

  it("show the copies of shared resources in a bundle", () => {
    const shared = volume({ size: 3, shared: true });
    expect(String(of(shared, shared))).to.match(/<SHARED>:3<2>$/);
  });
});
