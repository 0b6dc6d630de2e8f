export { type NodeData, ZooKeeperClient } from "./client.js";
export { isZooKeeperError, ZooKeeperError, type ZooKeeperErrorCode } from "./errors.js";
export {
  type AccessEntry,
  CREATOR_ACCESS,
  type MultiOperation,
  OPEN_ACCESS,
  PRIVATE_ACCESS,
  type Stat,
  type WatchEvent,
} from "./records.js";
export type { Dial, SessionListener, SessionOptions } from "./session.js";
export { zooKeeperSessionTimeout, zooKeeperUrl } from "./settings.js";
export {
  describeServer,
  describeUrl,
  isZooKeeperUrl,
  parseZooKeeperUrl,
  type ZooKeeperServer,
  type ZooKeeperUrl,
} from "./url.js";
