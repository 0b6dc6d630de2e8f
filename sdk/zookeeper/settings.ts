import { z } from "zod";
import { durationText, reading } from "../plugin/config-values.js";
import { parseZooKeeperUrl } from "./url.js";

/** Schema of a setting such as `--zk`. The URL may contain a password. */
export const zooKeeperUrl = z
  .string()
  .transform(reading(parseZooKeeperUrl))
  .meta({ secret: true, description: "zk://[user:password@]host:port[,host:port...]/path" });

/** Schema of `--zk_session_timeout`. */
export const zooKeeperSessionTimeout = durationText("10secs");
