import { masterConfig, optionsOf } from "../../core/master/config.js";
import type { MasterOptions } from "../../core/master/options.js";
import type { Dice } from "./dice.js";

/** The ZooKeeper path at which the masters meet. */
export const ZOOKEEPER_PATH = "/mesos";
export const REGISTRY_PATH = `${ZOOKEEPER_PATH}/registry`;
export const SESSION_TIMEOUT_MS = 10_000;
export const MASTER_PORT = 5050;
export const AGENT_PORT = 5051;

/** Mesos's defaults, except for waits that would only make runs longer. */
export const MASTER_OPTIONS: MasterOptions = {
  ...optionsOf(masterConfig.parse({})),
  agentReregisterTimeout: 120_000,
};

/** What the masters of one cluster are told: some to give agents up one by one, or early. */
export function variedMasterOptions(dice: Dice): MasterOptions {
  return {
    ...MASTER_OPTIONS,
    ...(dice.chance(0.2) && { agentReregisterTimeout: 20_000 }),
    ...(dice.chance(0.2) && { agentRemovalRateLimit: { count: 1, per: 20_000 } }),
  };
}
