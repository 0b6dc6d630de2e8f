import { Election } from "../../../sdk/contracts/election.js";
import { definePlugin, z } from "../../../sdk/plugin/index.js";
import { ZooKeeperClient, zooKeeperSessionTimeout, zooKeeperUrl } from "../../../sdk/zookeeper/index.js";
import { ZooKeeperDetector } from "../zookeeper-detector.js";

export default definePlugin({
  name: "zookeeper-detector",
  version: "1.0.0",
  description: "Follows the leading master through ZooKeeper (--master=zk://...)",
  targets: ["agent"],
  provides: [Election],
  config: z.strictObject({ master: zooKeeperUrl, zk_session_timeout: zooKeeperSessionTimeout }),
  setup(ctx) {
    const { clock, random, logger } = ctx;
    const { master, zk_session_timeout } = ctx.config;
    const client = new ZooKeeperClient({
      ...master,
      sessionTimeout: zk_session_timeout,
      clock,
      random,
      logger,
    });
    const detector = new ZooKeeperDetector({ client, path: master.path, clock, logger });
    ctx.bind(Election, detector);
    return {
      // An agent has tasks to look after even if no master can be found, so its start does not wait.
      start: () => {
        client.start();
        detector.start();
      },
      stop: async () => {
        detector.stop();
        await client.close();
      },
    };
  },
});
