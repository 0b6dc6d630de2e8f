import { expect } from "chai";
import { createTestKernel } from "../../../core/testing/index.js";
import { FixedEstimator } from "../../../plugins/oversubscription/fixed-resource-estimator/fixed-estimator.js";
import fixedPlugin from "../../../plugins/oversubscription/fixed-resource-estimator/index.js";
import noopPlugin from "../../../plugins/oversubscription/noop-resource-estimator/index.js";
import slackPlugin from "../../../plugins/oversubscription/usage-slack-estimator/index.js";
import {
  SlackEstimator,
  type SlackRules,
} from "../../../plugins/oversubscription/usage-slack-estimator/slack-estimator.js";
import type { ResourceStatistics, ResourceUsage } from "../../../proto/gen/mesos/v1/mesos.js";
import { ResourceEstimator } from "../../../sdk/contracts/resource-estimator.js";
import type { PluginDefinition } from "../../../sdk/plugin/index.js";
import { parseResources, Resources } from "../../../sdk/resources/index.js";
import { resourceEstimatorSuite } from "../../../sdk/testing/index.js";

const resources = (text: string): Resources => {
  const read = parseResources(text);
  if (!read.ok) throw new Error(read.error);
  return read.value;
};

const FIXED = { oversubscribed_resources: "cpus:3;mem:512" };

async function booted(plugin: PluginDefinition, config: object = {}) {
  const kernel = await createTestKernel({
    plugins: [plugin],
    target: "agent",
    config: { [plugin.name]: config },
  });
  return { estimator: kernel.kernel.get(ResourceEstimator), close: () => kernel.stop() };
}

describe("estimators of resources", () => {
  for (const [plugin, config] of [
    [noopPlugin, {}],
    [fixedPlugin, FIXED],
    [slackPlugin, {}],
    [slackPlugin, { lent_resources: "cpus,mem", usage_window: "10mins", usage_reserve: "0.5" }],
  ] as const) {
    describe(`${plugin.name} ${JSON.stringify(config)}`, () => {
      for (const { name, run } of resourceEstimatorSuite(() => booted(plugin, config))) it(name, run);
    });
  }

  describe("with a fixed amount", () => {
    it("name what of it is not lent", async () => {
      const estimator = new FixedEstimator(resources("cpus:3;mem:512"));
      const lent = resources("cpus:1")
        .toMessages()
        .map((message) => ({ ...message, revocable: {} }));
      const allocated = Resources.of(lent).allocate("web").toMessages();
      const executor = { allocated, tasks: [] };
      const measure = async (): Promise<ResourceUsage> => ({ executors: [executor], total: [] });
      expect(String(await estimator.oversubscribable(measure))).to.equal("cpus{REV}:2; mem{REV}:512");
    });

    it("take it from the parameters of Mesos's module, or from the manifest", () => {
      const read = (config: object) => fixedPlugin.config!.safeParse(config);
      const modules = (value: string) => ({
        libraries: [
          {
            modules: [
              { name: "org_apache_mesos_FixedResourceEstimator", parameters: [{ key: "resources", value }] },
            ],
          },
        ],
      });
      expect(read({ modules: modules("cpus:14") }).success).to.equal(true);
      expect(read(FIXED).success).to.equal(true);
      expect(String(read({}).error?.issues[0]?.message)).to.match(/'resources'.*--modules/);
      expect(String(read({ modules: modules("cpus=14") }).error?.issues[0]?.message)).to.match(
        /resources: Bad value for resources/,
      );
    });
  });

  describe("by unused resources", () => {
    const rules: SlackRules = { names: ["cpus", "mem"], window: 60, reserve: 0.25 };

    /** Containers that burn a number of CPUs at every moment. */
    class Host {
      seconds = 0;
      private readonly containers = new Map<
        string,
        { cpus: number; mb: number; cpuSeconds: number; allocated: Resources; measured: boolean }
      >();

      set(
        id: string,
        use: { cpus: number; mb?: number; has?: string; revocable?: boolean; measured?: boolean },
      ): void {
        const { cpus, mb = 0, has = "cpus:8;mem:1024", revocable = false, measured = true } = use;
        const messages = resources(has)
          .toMessages()
          .map((message) => (revocable ? { ...message, revocable: {} } : message));
        const cpuSeconds = this.containers.get(id)?.cpuSeconds ?? 0;
        this.containers.set(id, { cpus, mb, cpuSeconds, allocated: Resources.of(messages), measured });
      }

      remove(id: string): void {
        this.containers.delete(id);
      }

      pass(seconds: number): void {
        this.seconds += seconds;
        for (const container of this.containers.values()) container.cpuSeconds += container.cpus * seconds;
      }

      readonly measure = async (): Promise<ResourceUsage> => ({
        executors: [...this.containers].map(([id, { mb, cpuSeconds, allocated, measured }]) => ({
          container_id: { value: id },
          allocated: allocated.allocate("web").toMessages(),
          tasks: [],
          statistics: measured ? this.statistics(mb, cpuSeconds) : undefined,
        })),
        total: [],
      });

      private statistics(mb: number, cpuSeconds: number): ResourceStatistics {
        return {
          timestamp: 1000 + this.seconds,
          cpus_user_time_secs: cpuSeconds,
          cpus_system_time_secs: 0,
          mem_rss_bytes: BigInt(mb) * 1048576n,
          disk_statistics: [],
          net_traffic_control_statistics: [],
        };
      }
    }

    let host: Host;
    let estimator: SlackEstimator;
    beforeEach(() => {
      host = new Host();
      estimator = new SlackEstimator(rules);
    });
    const ask = async (): Promise<string> => String(await estimator.oversubscribable(host.measure));
    /** Asks every 15 seconds; the last answer. */
    async function watch(seconds: number): Promise<string> {
      let answer = "";
      for (let passed = 0; passed < seconds; passed += 15) {
        host.pass(15);
        answer = await ask();
      }
      return answer;
    }

    it("lend what a container left unused while it was watched, less a reserve, in whole steps", async () => {
      host.set("owner", { cpus: 1.2, mb: 100 });
      expect(await ask()).to.equal("{}");
      expect(await watch(45)).to.equal("{}");
      // 8 - 2 reserved - 1.2 used = 4.8; 1024 - 256 - 100 = 668
      expect(await watch(15)).to.equal("cpus{REV}:4.5; mem{REV}:640");
    });

    it("count the highest use within the window", async () => {
      host.set("owner", { cpus: 0 });
      await ask();
      await watch(60);
      host.set("owner", { cpus: 5 });
      expect(await watch(15)).to.equal("cpus{REV}:1; mem{REV}:768");
      host.set("owner", { cpus: 0 });
      expect(await watch(45)).to.equal("cpus{REV}:1; mem{REV}:768");
      expect(await watch(15)).to.equal("cpus{REV}:6; mem{REV}:768");
    });

    it("do not count what is lent already", async () => {
      host.set("owner", { cpus: 0 });
      host.set("guest", { cpus: 3, has: "cpus:4", revocable: true });
      await ask();
      expect(await watch(60)).to.equal("cpus{REV}:2; mem{REV}:768");
      host.set("owner", { cpus: 6 });
      expect(await watch(15), "more is lent than is left").to.equal("mem{REV}:768");
    });

    it("lend nothing of a container that cannot be measured, is new, or is gone", async () => {
      host.set("owner", { cpus: 0, measured: false });
      expect(await watch(600)).to.equal("{}");
      host.set("owner", { cpus: 0 });
      await watch(90);
      expect(await ask()).to.equal("cpus{REV}:6; mem{REV}:768");
      host.set("new", { cpus: 0 });
      expect(await watch(15)).to.equal("cpus{REV}:6; mem{REV}:768");
      host.remove("owner");
      expect(await watch(15)).to.equal("{}");
    });

    it("lend CPUs alone unless told otherwise, and refuse other names", () => {
      const read = (config: object) => slackPlugin.config!.safeParse(config);
      expect(read({ lent_resources: "cpus, mem" }).success).to.equal(true);
      expect(read({ lent_resources: "disk" }).success).to.equal(false);
      expect(read({ usage_reserve: 1.5 }).success).to.equal(false);
      expect(read({ usage_window: "soon" }).success).to.equal(false);
    });
  });
});
