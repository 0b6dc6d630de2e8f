import {
  type AgentInfo_Capability,
  AgentInfo_Capability_Type as Type,
} from "../../proto/gen/mesos/v1/mesos.js";

/** Id of the agent's actor, which masters answer. */
export const AGENT_ACTOR = "slave(1)";

/**
 * What masters may rely on. In addition to resource providers, which need not exist, RESOURCE_PROVIDER means that operations are sent as
 * such, and that the agent knows best which reservations and volumes it has.
 */
export const AGENT_CAPABILITIES: readonly AgentInfo_Capability[] = [
  { type: Type.MULTI_ROLE },
  { type: Type.HIERARCHICAL_ROLE },
  { type: Type.RESERVATION_REFINEMENT },
  { type: Type.RESOURCE_PROVIDER },
  { type: Type.RESIZE_VOLUME },
  { type: Type.AGENT_OPERATION_FEEDBACK },
  { type: Type.AGENT_DRAINING },
  { type: Type.TASK_RESOURCE_LIMITS },
];

/** Values for which Mesos has no flag either. Durations are milliseconds. */
export const REGISTRATION_BACKOFF_MAX = 60_000;
export const DEFAULT_PING_TIMEOUT = 75_000;
export const UPDATE_RETRY_MIN = 10_000;
export const UPDATE_RETRY_MAX = 600_000;
/** Mesos has no lower bound, and busily polls a controller that answers at once. */
export const QOS_CORRECTION_INTERVAL_LEAST = 100;
export const EXECUTOR_HEARTBEAT_INTERVAL = 1_800_000;
export const DEFAULT_KILL_GRACE_PERIOD = 3_000;
export const MAX_COMPLETED_FRAMEWORKS = 50;
export const MAX_COMPLETED_TASKS_PER_EXECUTOR = 200;

/**
 * Bytes of an executor's updates that may be unacknowledged (about 10,000 of the usual size), and bytes of updates that may wait behind
 * them.
 */
export const EXECUTOR_UPDATES = { underWay: 8 * 1024 * 1024, waiting: 8 * 1024 * 1024 };
/** The same for messages to its scheduler while the way there is slow. */
export const EXECUTOR_MESSAGES = { underWay: 256 * 1024, waiting: 8 * 1024 * 1024 };

/** Mesos adds these to a command task for the executor that it starts; kept so that containers have the same size. */
export const COMMAND_EXECUTOR_CPUS = 0.1;
export const COMMAND_EXECUTOR_MEM_MB = 32;
