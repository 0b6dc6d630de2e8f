import { expect } from "chai";
import { createTestKernel } from "../../../core/testing/index.js";
import loadPlugin from "../../../plugins/oversubscription/load-qos-controller/index.js";
import {
  LoadController,
  type LoadThresholds,
} from "../../../plugins/oversubscription/load-qos-controller/load-controller.js";
import noopPlugin from "../../../plugins/oversubscription/noop-qos-controller/index.js";
import type { ResourceUsage } from "../../../proto/gen/mesos/v1/mesos.js";
import { QoSController } from "../../../sdk/contracts/qos-controller.js";
import { MemoryLogger, qosControllerSuite } from "../../../sdk/testing/index.js";

const guest: ResourceUsage = {
  executors: [
    {
      executor_info: { executor_id: { value: "guest" }, framework_id: { value: "f" }, resources: [] },
      container_id: { value: "c" },
      allocated: [{ name: "cpus", type: 0, scalar: { value: 1 }, reservations: [], revocable: {} }],
      tasks: [],
    },
  ],
  total: [],
};

function controller(thresholds: Partial<LoadThresholds>) {
  const load = [0, 0, 0];
  const logger = new MemoryLogger();
  const all = { fiveMinutes: undefined, fifteenMinutes: undefined, ...thresholds };
  return { load, logger, controller: new LoadController({ thresholds: all, load: () => load, logger }) };
}

describe("controllers of the quality of service", () => {
  describe("noop-qos-controller", () => {
    const make = async () => {
      const booted = await createTestKernel({ plugins: [noopPlugin], target: "agent" });
      return { controller: booted.kernel.get(QoSController), close: () => booted.stop() };
    };
    for (const { name, run } of qosControllerSuite(make)) it(name, run);
  });

  describe("load-qos-controller", () => {
    const make = async () => {
      const made = controller({ fiveMinutes: 4 });
      return {
        controller: made.controller,
        disturb: () => made.load.splice(1, 1, 4.5),
        calm: () => made.load.splice(1, 1, 4),
      };
    };
    for (const { name, run } of qosControllerSuite(make)) it(name, run);

    const ends = async (thresholds: Partial<LoadThresholds>, ...load: number[]): Promise<number> => {
      const made = controller(thresholds);
      made.load.splice(0, 3, ...load);
      return (await made.controller.corrections(async () => guest)).length;
    };

    it("acts above a threshold, not at it, by its own average", async () => {
      expect(await ends({ fiveMinutes: 2 }, 9, 2, 9)).to.equal(0);
      expect(await ends({ fiveMinutes: 2 }, 0, 2.01, 0)).to.equal(1);
      expect(await ends({ fifteenMinutes: 2 }, 9, 9, 2)).to.equal(0);
      expect(await ends({ fifteenMinutes: 2 }, 0, 0, 2.01)).to.equal(1);
      expect(await ends({ fiveMinutes: 0, fifteenMinutes: 8 }, 0, 1, 1)).to.equal(1);
    });

    it("says once that it acts and once that it stops, and measures only while it acts", async () => {
      const { load, logger, controller: subject } = controller({ fiveMinutes: 4 });
      let measured = 0;
      const measure = async () => {
        measured++;
        return guest;
      };
      for (const five of [1, 5, 6, 7, 2, 2]) {
        load[1] = five;
        await subject.corrections(measure);
      }
      expect(measured).to.equal(3);
      expect(logger.lines.map(({ level }) => level)).to.deep.equal(["info", "info"]);
    });

    it("takes its thresholds from the parameters of Mesos's module, or from the manifest", () => {
      const read = (config: object) => loadPlugin.config!.safeParse(config);
      const modules = (key: string, value: string) => ({
        libraries: [
          { modules: [{ name: "org_apache_mesos_LoadQoSController", parameters: [{ key, value }] }] },
        ],
      });
      expect(read({ modules: modules("load_threshold_5min", "6") }).success).to.equal(true);
      expect(read({ load_threshold_15min: 3 }).success).to.equal(true);
      expect(String(read({}).error?.issues[0]?.message)).to.match(
        /load_threshold_5min or load_threshold_15min/,
      );
      expect(read({ modules: modules("load_threshold_5min", "high") }).success).to.equal(false);
      expect(read({ modules: modules("load_threshold_1min", "1") }).success).to.equal(false);
    });
  });
});
