import { type MasterInfo_Capability, MasterInfo_Capability_Type } from "../../proto/gen/mesos/v1/mesos.js";

/** Agents older than this speak another protocol. */
export const MINIMUM_AGENT_VERSION = "1.0.0";

/** Name of the master's actor: its address is `master@ip:port`. */
export const MASTER_ACTOR = "master";

/** How libprocess writes "no address"; agents read it as a scheduler that came over HTTP. */
export const NO_PID = "@0.0.0.0:0";

export const HEARTBEAT_INTERVAL_MS = 15_000;

/** Lower bounds on executor resources, in cores and MB. */
export const MIN_EXECUTOR_CPUS = 0.01;
export const MIN_EXECUTOR_MEM = 32;

/** How long an agent that is back is not offered where it does not say what it has besides its report. */
export const UPDATE_WAIT_MS = 2000;

/** `refuse_seconds` of a filter that does not say. */
export const DEFAULT_REFUSE_SECONDS = 5;

/** Removed agents that are remembered, so that their late messages are known for what they are. */
export const MAX_REMOVED_AGENTS = 100_000;

export const MASTER_CAPABILITIES: readonly MasterInfo_Capability[] = [
  { type: MasterInfo_Capability_Type.AGENT_UPDATE },
  { type: MasterInfo_Capability_Type.AGENT_DRAINING },
  { type: MasterInfo_Capability_Type.QUOTA_V2 },
];
/** How long an operation waits for a framework that nobody has seen since the agent came back, before the master acts for it. */
export const ORPHAN_ADOPTION_SECONDS = 600;

/** For each agent: those that a report of it may still have which crossed with the acknowledgement. */
export const MAX_SETTLED_OPERATIONS = 200;
