import { expect } from "chai";
import { Resource_DiskInfo_Source_Type as DiskSourceType } from "../../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../../sdk/resources/index.js";
import { disk, dynamic, fixed, mountDisk, of, pathDisk, resources, scalar, volume } from "./build.js";

describe("Resources", () => {
  describe("amounts", () => {
    it("adds what is of the same kind and keeps the rest apart", () => {
      const sum = resources("cpus:1;mem:5").add(resources("cpus:2;mem:10;ports:[1-2]"));
      expect(String(sum)).to.equal("cpus:3; mem:15; ports:[1-2]");
    });

    it("leaves out what is empty", () => {
      expect(resources("cpus:0;ports:[];zones:{}").isEmpty).to.equal(true);
      expect(resources("cpus:0").equals(Resources.empty)).to.equal(true);
      expect(String(Resources.empty)).to.equal("{}");
    });

    it("subtracts to nothing, never below", () => {
      expect(resources("cpus:1").subtract(resources("cpus:2")).isEmpty).to.equal(true);
      expect(String(resources("cpus:2;mem:1").subtract(resources("cpus:0.5;disk:3")))).to.equal(
        "cpus:1.5; mem:1",
      );
    });

    it("contains less, not more", () => {
      const offer = resources("cpus:2;mem:1024;ports:[31000-32000];zones:{a,b}");
      expect(offer.contains(resources("cpus:2;mem:1;ports:[31005-31006, 32000-32000];zones:{b}"))).to.equal(
        true,
      );
      expect(offer.contains(resources("cpus:2.001"))).to.equal(false);
      expect(offer.contains(resources("ports:[30999-31000]"))).to.equal(false);
      expect(offer.contains(resources("zones:{c}"))).to.equal(false);
      expect(offer.contains(resources("gpus:1"))).to.equal(false);
      expect(offer.contains(Resources.empty)).to.equal(true);
    });

    it("compares sets and ranges without regard to order", () => {
      expect(resources("zones:{a,b}").equals(resources("zones:{b,a}"))).to.equal(true);
      expect(resources("ports:[1-2,3-4]").equals(resources("ports:[3-4,1-2]"))).to.equal(true);
      expect(resources("zones:{a,b}").equals(resources("zones:{a,c}"))).to.equal(false);
    });

    it("gives totals by name over all kinds", () => {
      const all = resources("cpus:2;cpus(ads):0.5;mem:1024;disk:10;gpus:1;ports:[5-6];ports(ads):[7-9]");
      expect([all.cpus, all.mem, all.disk, all.gpus]).to.deep.equal([2.5, 1024, 10, 1]);
      expect(all.ports).to.deep.equal([{ begin: 5, end: 9 }]);
      expect([...all.quantities()]).to.deep.equal([
        ["cpus", 2500],
        ["mem", 1_024_000],
        ["disk", 10_000],
        ["gpus", 1000],
      ]);
      expect(resources("mem:1").cpus).to.equal(0);
      expect(
        all.containsQuantities(
          new Map([
            ["cpus", 2500],
            ["ports", 5000],
          ]),
        ),
      ).to.equal(true);
      expect(all.containsQuantities(new Map([["ports", 6000]]))).to.equal(false);
    });
  });

  describe("kinds", () => {
    it("keeps reservations of different roles, principals and labels apart", () => {
      const all = of(
        scalar("cpus", 1),
        scalar("cpus", 1, { reservations: [fixed("ads")] }),
        scalar("cpus", 1, { reservations: [dynamic("ads")] }),
        scalar("cpus", 1, { reservations: [dynamic("ads", { principal: "bob" })] }),
        scalar("cpus", 1, { reservations: [dynamic("ads", { labels: { labels: [{ key: "k" }] } })] }),
        scalar("cpus", 1, { reservations: [fixed("ads"), dynamic("ads/web")] }),
      );
      expect(all.size).to.equal(6);
      expect(all.cpus).to.equal(6);
      expect(all.contains(of(scalar("cpus", 2)))).to.equal(false);
    });

    it("takes labels in any order for the same", () => {
      const labels = (...keys: string[]) => ({
        labels: { labels: keys.map((key) => ({ key, value: "v" })) },
      });
      const left = of(scalar("cpus", 1, { reservations: [dynamic("ads", labels("a", "b"))] }));
      const right = of(scalar("cpus", 2, { reservations: [dynamic("ads", labels("b", "a"))] }));
      expect(left.add(right).size).to.equal(1);
    });

    it("keeps allocations to different roles, revocable and provided resources apart", () => {
      const all = of(
        scalar("cpus", 1),
        scalar("cpus", 1, { allocation_info: { role: "ads" } }),
        scalar("cpus", 1, { allocation_info: { role: "dev" } }),
        scalar("cpus", 1, { revocable: {} }),
        scalar("cpus", 1, { provider_id: { value: "p" } }),
        scalar("cpus", 1, { provider_id: { value: "q" } }),
        scalar("cpus", 1, { provider_id: { value: "p" }, revocable: {} }),
      );
      expect(all.size).to.equal(7);
      expect(all.unallocate().size).to.equal(5);
    });

    it("has one kind for each role of what every agent has, however often roles change", () => {
      const free = resources("cpus:2;mem:10");
      const kinds = (role: string) => free.allocate(role).entries.map(({ kind }) => kind);
      const [ads, dev] = [kinds("ads"), kinds("dev")];
      expect(ads[0]).not.to.equal(dev[0]);
      for (const [index, kind] of kinds("ads").entries()) expect(kind).to.equal(ads[index]);
      expect(free.allocate("ads").allocate("dev").entries[0]!.kind).to.equal(dev[0]);
      expect(free.allocate("dev").unallocate().entries[0]!.kind).to.equal(free.entries[0]!.kind);
      for (let i = 0; i < 3000; i++) expect(kinds(`role-${i}`)[1]!.allocationRole).to.equal(`role-${i}`);
    });

    it("allocates to a role and back", () => {
      const offer = resources("cpus:2;mem:10").allocate("ads");
      expect(offer.toMessages().map((message) => message.allocation_info?.role)).to.deep.equal([
        "ads",
        "ads",
      ]);
      expect([...offer.allocations().keys()]).to.deep.equal(["ads"]);
      expect(offer.contains(resources("cpus:1"))).to.equal(false);
      expect(offer.contains(resources("cpus:1").allocate("ads"))).to.equal(true);
      expect(offer.unallocate().equals(resources("cpus:2;mem:10"))).to.equal(true);
      expect(offer.allocate("ads")).to.equal(offer);
    });

    it("filters by reservation", () => {
      const total = resources("cpus:4;mem:20;cpus(ads):2;mem(ads/web):10");
      expect(String(total.unreserved())).to.equal("cpus:4; mem:20");
      expect(total.reserved().size).to.equal(2);
      expect(total.reserved("ads").cpus).to.equal(2);
      expect(total.reserved("ads/web").mem).to.equal(10);
      expect(total.reservedToSubtree("ads").size).to.equal(2);
      expect(total.allocatableTo("ads").mem).to.equal(20);
      expect(total.allocatableTo("ads/web").mem).to.equal(30);
      expect(total.allocatableTo("ads/web").cpus).to.equal(6);
      expect([...total.reservations().keys()]).to.deep.equal(["ads", "ads/web"]);
      expect(total.toUnreserved().equals(resources("cpus:6;mem:30"))).to.equal(true);
    });

    it("filters by use", () => {
      const total = of(
        scalar("cpus", 1, { revocable: {} }),
        scalar("mem", 1),
        volume({ size: 1, shared: true }),
        volume({ size: 2 }),
      );
      expect(total.revocable().cpus).to.equal(1);
      expect(total.nonRevocable().size).to.equal(3);
      expect(total.shared().disk).to.equal(1);
      expect(total.nonShared().disk).to.equal(2);
      expect(total.persistentVolumes().size).to.equal(2);
      expect(total.named("mem").size).to.equal(1);
      expect(resources("cpus:1;ports:[1-2]").scalars().size).to.equal(1);
      expect([...total.names()]).to.deep.equal(["cpus", "mem", "disk"]);
      expect(total.allocate("ads/web").allocatedToSubtree("ads").size).to.equal(4);
    });
  });

  describe("disks", () => {
    it("are one when they lie on the same path", () => {
      expect(of(pathDisk(1, "/a"), pathDisk(2, "/a")).size).to.equal(1);
      expect(of(pathDisk(1, "/a"), pathDisk(2, "/b")).size).to.equal(2);
    });

    it("are taken whole when mounted", () => {
      const two = of(mountDisk(5, "/m1"), mountDisk(5, "/m2"));
      expect(two.size).to.equal(2);
      expect(of(mountDisk(5, "/m1"), mountDisk(5, "/m1")).size).to.equal(2);
      expect(two.contains(of(mountDisk(4, "/m1")))).to.equal(false);
      expect(two.subtract(of(mountDisk(4, "/m1"))).equals(two)).to.equal(true);
      expect(two.subtract(of(mountDisk(5, "/m1"))).size).to.equal(1);
    });

    it("count each whole disk once", () => {
      const one = of(mountDisk(5, "/m1"));
      expect(one.contains(one.add(one))).to.equal(false);
      expect(one.add(one).contains(one.add(one))).to.equal(true);
      expect(one.add(one).equals(one)).to.equal(false);
    });

    it("are divisible when raw and without an id", () => {
      expect(of(disk(1, DiskSourceType.RAW), disk(2, DiskSourceType.RAW)).size).to.equal(1);
      const raw = disk(2, DiskSourceType.RAW, { id: "x", vendor: "v" });
      expect(of(raw, raw).size).to.equal(2);
      expect(of(disk(2, DiskSourceType.BLOCK)).contains(of(disk(1, DiskSourceType.BLOCK)))).to.equal(false);
    });

    it("become indivisible as persistent volumes", () => {
      expect(of(volume({ size: 4 })).contains(of(volume({ size: 3 })))).to.equal(false);
      expect(of(volume({ size: 4 }), volume({ size: 4, id: "id2" })).size).to.equal(2);
    });

    it("do not differ by where a volume is mounted or who made it", () => {
      const here = of(volume({ size: 4, path: "here" }));
      const there = volume({ size: 4, path: "there" });
      there.disk!.persistence!.principal = "bob";
      expect(here.contains(of(there))).to.equal(true);
      expect(here.subtract(of(there)).isEmpty).to.equal(true);
    });
  });

  describe("shared volumes", () => {
    const shared = of(volume({ size: 50, shared: true }));
    const times = (count: number) => Resources.sum(Array.from({ length: count }, () => shared));

    it("count copies", () => {
      const four = resources("cpus:2;mem:10").add(times(4));
      const three = resources("cpus:2;mem:10").add(times(3));
      expect(four.disk).to.equal(50);
      expect(four.shared().entries[0]?.copies).to.equal(4);
      expect(four.contains(three)).to.equal(true);
      expect(three.contains(four)).to.equal(false);
      expect(four.add(three).subtract(four).equals(three)).to.equal(true);
      expect(three.subtract(four).isEmpty).to.equal(true);
      expect(String(four.subtract(three))).to.equal(
        "disk(reservations: [(DYNAMIC,ads)])[id1:data]<SHARED>:50<1>",
      );
    });

    it("are not the same as volumes of one owner", () => {
      const own = of(volume({ size: 50 }));
      expect(own.contains(shared)).to.equal(false);
      expect(own.subtract(shared).equals(own)).to.equal(true);
      expect(shared.add(own).size).to.equal(2);
    });
  });

  describe("messages", () => {
    it("names the first invalid one", () => {
      const result = Resources.fromMessages([scalar("cpus", 1), scalar("mem", -1)]);
      expect(result).to.deep.equal({
        ok: false,
        error: "Resource 'mem:-1' is invalid: Invalid scalar resource: value <= 0",
      });
    });

    it("are left out when invalid, where asked to", () => {
      expect(String(Resources.of([scalar("cpus", 1), scalar("mem", -1)]))).to.equal("cpus:1");
    });

    it("are new each time", () => {
      const bundle = resources("cpus:1");
      bundle.toMessages()[0]!.scalar!.value = 7;
      expect(bundle.cpus).to.equal(1);
      expect(bundle.toMessages()).to.deep.equal([scalar("cpus", 1)]);
    });

    it("may change after they were read", () => {
      const message = scalar("zones", 0);
      delete message.scalar;
      message.type = 2;
      message.set = { item: ["a"] };
      const bundle = of(message);
      message.set.item.push("b");
      expect(bundle.items("zones")).to.deep.equal(["a"]);
    });
  });
});
