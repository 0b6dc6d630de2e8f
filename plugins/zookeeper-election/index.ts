import { Election } from "../../sdk/contracts/election.js";
import { definePlugin, durationText, z } from "../../sdk/plugin/index.js";
import {
  CREATOR_ACCESS,
  describeUrl,
  OPEN_ACCESS,
  ZooKeeperClient,
  zooKeeperSessionTimeout,
  zooKeeperUrl,
} from "../../sdk/zookeeper/index.js";
import { firstContact } from "./first-contact.js";
import { ZooKeeperElection } from "./zookeeper-election.js";

export default definePlugin({
  name: "zookeeper-election",
  version: "1.0.0",
  description: "Leadership of a cluster with several masters, through ZooKeeper, in Mesos's format (--zk)",
  targets: ["master"],
  provides: [Election],
  config: z.strictObject({
    zk: zooKeeperUrl,
    zk_session_timeout: zooKeeperSessionTimeout,
    connect_timeout: durationText("1mins").describe(
      "How long the start waits for an ensemble that serves, before the daemon ends; 0secs: for ever.",
    ),
  }),
  setup(ctx) {
    const { zk, zk_session_timeout, connect_timeout } = ctx.config;
    const { clock, random, logger, signal } = ctx;
    const { credentials, path } = zk;
    const access = credentials === undefined ? OPEN_ACCESS : CREATOR_ACCESS;
    const client = new ZooKeeperClient({ ...zk, sessionTimeout: zk_session_timeout, clock, random, logger });
    const election = new ZooKeeperElection({ client, path, access, clock, logger });
    ctx.bind(Election, election);
    const stop = async (): Promise<void> => {
      election.stop();
      await client.close();
    };
    return {
      start: async () => {
        client.start();
        try {
          const url = describeUrl(zk);
          await firstContact({ client, path, access, url, limit: connect_timeout, clock, random, signal });
        } catch (error) {
          await client.close();
          throw error;
        }
        election.start();
      },
      stop,
    };
  },
});
