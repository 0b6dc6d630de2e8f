import { Metrics } from "../../sdk/contracts/metrics.js";
import { Registry } from "../../sdk/contracts/registry.js";
import { definePlugin, durationText, reading, z } from "../../sdk/plugin/index.js";
import { RegistryMetrics, SharedRegistry } from "../../sdk/registry/index.js";
import {
  describeUrl,
  OPEN_ACCESS,
  PRIVATE_ACCESS,
  parseZooKeeperUrl,
  ZooKeeperClient,
} from "../../sdk/zookeeper/index.js";
import { ZooKeeperStore } from "./zookeeper-store.js";

/** Below the path of the election, where masters and tools pass over it. */
const NODE = "tepui_registry";

export default definePlugin({
  name: "zookeeper-registry",
  version: "1.0.0",
  description:
    "Keeps the durable facts of several masters in ZooKeeper (--registry=replicated_log with --zk)",
  targets: ["master"],
  provides: [Registry],
  requires: { metrics: Metrics },
  config: z.strictObject({
    zk: z
      .string()
      .transform(reading(parseZooKeeperUrl))
      .meta({ secret: true, description: "zk://[user:password@]host:port[,host:port...]/path" }),
    zk_session_timeout: durationText("10secs"),
    registry_fetch_timeout: durationText("1mins"),
    registry_store_timeout: durationText("20secs"),
    quorum: z
      .number()
      .int()
      .optional()
      .describe("Taken for Mesos's sake: more than half of the ensemble decides."),
  }),
  setup(ctx, { metrics }) {
    const { zk, zk_session_timeout, registry_fetch_timeout, registry_store_timeout, quorum } = ctx.config;
    const { clock, random, logger } = ctx;
    const { servers, credentials } = zk;
    const path = `${zk.path}/${NODE}`;
    const client = new ZooKeeperClient({
      servers,
      credentials,
      sessionTimeout: zk_session_timeout,
      clock,
      random,
      logger,
    });
    const access = credentials === undefined ? OPEN_ACCESS : PRIVATE_ACCESS;
    const registry = new SharedRegistry({
      store: () => new ZooKeeperStore({ client, path, access }),
      engine: "ZooKeeper",
      url: describeUrl({ servers, path }),
      clock,
      random,
      logger,
      metrics: new RegistryMetrics(metrics),
      fetchTimeout: registry_fetch_timeout,
      storeTimeout: registry_store_timeout,
    });
    // Under these names Mesos shows its log of replicas.
    metrics.gauge("registrar/log/ensemble_size", () => servers.length);
    metrics.gauge("registrar/log/recovered", () => (registry.recovered ? 1 : 0));
    ctx.bind(Registry, registry);
    return {
      start: () => {
        logger.info(
          { registry: describeUrl({ servers, path }), ...(quorum === undefined ? {} : { quorum }) },
          "the registry is kept in ZooKeeper, whose servers decide by majority; --quorum has no effect on it",
        );
        client.start();
      },
      stop: async () => {
        await registry.close();
        await client.close();
      },
    };
  },
});
