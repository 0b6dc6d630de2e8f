import { type MasterInfo_Capability, MasterInfo_Capability_Type } from "../../proto/gen/mesos/v1/mesos.js";

/** Agents older than this speak a different protocol. */
export const MINIMUM_AGENT_VERSION = "1.0.0";

/** The master's actor: its address is `master@ip:port`. */
export const MASTER_ACTOR = "master";

/** How libprocess writes "no address". Agents take it as a scheduler that uses HTTP. */
export const NO_PID = "@0.0.0.0:0";

export const HEARTBEAT_INTERVAL_MS = 15_000;

/** Lower bounds on executor resources, in cores and MB. */
export const MIN_EXECUTOR_CPUS = 0.01;
export const MIN_EXECUTOR_MEM = 32;

/** How long a returning agent is not offered if it sends no UpdateSlaveMessage. */
export const UPDATE_WAIT_MS = 2000;

/** `refuse_seconds` of a filter that does not set it. */
export const DEFAULT_REFUSE_SECONDS = 5;

/** The number of removed agents that are remembered, to recognize their late messages. */
export const MAX_REMOVED_AGENTS = 100_000;

export const MASTER_CAPABILITIES: readonly MasterInfo_Capability[] = [
  { type: MasterInfo_Capability_Type.AGENT_UPDATE },
  { type: MasterInfo_Capability_Type.AGENT_DRAINING },
  { type: MasterInfo_Capability_Type.QUOTA_V2 },
];
/**
 * How long an operation waits for a framework that has not been seen since the agent came back, before the master acknowledges in its
 * place.
 */
export const ORPHAN_ADOPTION_SECONDS = 600;

/** Per agent: enough for those that a report may still include because it crossed with the acknowledgement. */
export const MAX_SETTLED_OPERATIONS = 200;
