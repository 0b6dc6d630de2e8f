import { Metrics } from "../../sdk/contracts/metrics.js";
import { Registry } from "../../sdk/contracts/registry.js";
import { definePlugin, z } from "../../sdk/plugin/index.js";
import {
  REGISTRY_NODE,
  RegistryMetrics,
  registryTimeouts,
  SharedRegistry,
} from "../../sdk/registry/index.js";
import {
  describeUrl,
  OPEN_ACCESS,
  PRIVATE_ACCESS,
  ZooKeeperClient,
  zooKeeperSessionTimeout,
  zooKeeperUrl,
} from "../../sdk/zookeeper/index.js";
import { ZooKeeperStore } from "./zookeeper-store.js";

export default definePlugin({
  name: "zookeeper-registry",
  version: "1.0.0",
  description:
    "Keeps the durable facts of several masters in ZooKeeper (--registry=replicated_log with --zk)",
  targets: ["master"],
  provides: [Registry],
  requires: { metrics: Metrics },
  config: z.strictObject({
    zk: zooKeeperUrl,
    zk_session_timeout: zooKeeperSessionTimeout,
    ...registryTimeouts,
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
    const path = `${zk.path}/${REGISTRY_NODE}`;
    const url = describeUrl({ servers, path });
    const client = new ZooKeeperClient({ ...zk, sessionTimeout: zk_session_timeout, clock, random, logger });
    const access = credentials === undefined ? OPEN_ACCESS : PRIVATE_ACCESS;
    const registryMetrics = new RegistryMetrics(metrics);
    const registry = new SharedRegistry({
      store: () => new ZooKeeperStore({ client, path, access }),
      engine: "ZooKeeper",
      url,
      clock,
      random,
      logger,
      metrics: registryMetrics,
      fetchTimeout: registry_fetch_timeout,
      storeTimeout: registry_store_timeout,
    });
    registryMetrics.showLog({ replicas: servers.length, recovered: () => registry.recovered });
    ctx.bind(Registry, registry);
    return {
      start: () => {
        logger.info(
          { registry: url, ...(quorum === undefined ? {} : { quorum }) },
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
