import type { Random } from "../../../sdk/contracts/random.js";
import { ZooKeeperClient } from "../../../sdk/zookeeper/index.js";
import { SESSION_TIMEOUT_MS } from "../cluster-options.js";
import type { SimulatedProcess } from "../process.js";
import type { Ensemble } from "./ensemble.js";
import { dialer } from "./socket.js";

/** The product's client, for a simulated process. */
export function clientOf(ensemble: Ensemble, process: SimulatedProcess, random: Random): ZooKeeperClient {
  const { clock, logger } = process;
  return new ZooKeeperClient({
    servers: ensemble.servers.map(({ process: { host } }) => ({ host: host.name, port: 2181 })),
    sessionTimeout: SESSION_TIMEOUT_MS,
    clock,
    random,
    logger,
    dial: dialer(ensemble, process),
  });
}
