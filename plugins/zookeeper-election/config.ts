import { durationText, reading, z } from "../../sdk/plugin/index.js";
import { parseZooKeeperUrl } from "../../sdk/zookeeper/index.js";

/** The URL may hold a password. */
export const zooKeeperUrl = z
  .string()
  .transform(reading(parseZooKeeperUrl))
  .meta({ secret: true, description: "zk://[user:password@]host:port[,host:port...]/path" });

export const sessionTimeout = durationText("10secs");
