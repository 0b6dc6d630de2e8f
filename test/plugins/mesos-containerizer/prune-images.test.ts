import { expect } from "chai";
import { type Image, Image_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { Provisioner } from "../../../sdk/contracts/image.js";
import { ContainerizerBench } from "./support.js";

const KEPT: Image = { type: Image_Type.DOCKER, docker: { name: "base:1" } };

describe("images that nobody uses", () => {
  it("are removed by the provisioner, but for those to keep, and its failure is told", async () => {
    const prunes: (readonly Image[])[] = [];
    const provisioner = {
      prune: async (keep: readonly Image[]) => {
        prunes.push(keep);
        if (keep.length === 0) throw new Error("the store is broken");
      },
    } as unknown as Provisioner;
    const bench = await ContainerizerBench.open({ provisioner });
    try {
      await bench.containerizer.pruneImages([KEPT]);
      const failure = await bench.containerizer.pruneImages([]).catch((error: unknown) => error);
      expect(failure).to.be.an("error").with.property("message", "the store is broken");
      expect(prunes).to.deep.equal([[KEPT], []]);
    } finally {
      await bench.close();
    }
  });

  it("are none where there are no images", async () => {
    const bench = await ContainerizerBench.open();
    try {
      await bench.containerizer.pruneImages([KEPT]);
    } finally {
      await bench.close();
    }
  });
});
