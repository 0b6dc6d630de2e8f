import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { Allocator } from "../../sdk/contracts/allocator.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { MessageTransport } from "../../sdk/contracts/message-transport.js";
import type { Random } from "../../sdk/contracts/random.js";
import type { Registry } from "../../sdk/contracts/registry.js";
import type { TepuiError } from "../../sdk/errors/index.js";
import type { AgentMessages } from "./agents/agent-messages.js";
import type { Cluster } from "./cluster.js";
import type { Ids } from "./ids.js";
import type { MasterMetrics } from "./metrics/metrics.js";
import type { MasterOptions } from "./options.js";
import type { Ledger } from "./tasks/ledger.js";
import type { Watchers } from "./watchers.js";

/** Passed to each term of leadership. */
export interface LeadershipDeps {
  readonly info: MasterInfo;
  readonly options: MasterOptions;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: MasterMetrics;
  readonly allocator: Allocator;
  readonly registry: Registry;
  readonly transport: MessageTransport;
  readonly watchers: Watchers;
  /** This master must not lead any longer: an operator has to intervene. */
  readonly unfit: (error: TepuiError) => void;
}

/** What the state machines of one term share. */
export interface MasterContext extends LeadershipDeps {
  readonly messages: AgentMessages;
  readonly cluster: Cluster;
  readonly ledger: Ledger;
}

/** The current time as records keep it: seconds since the epoch. */
export const nowSeconds = ({ clock }: Pick<MasterContext, "clock">): number => clock.now() / 1000;
