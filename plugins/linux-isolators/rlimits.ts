import { RLimitInfo_RLimit_Type } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Contribution, ResourceLimit } from "../../sdk/contracts/contribution.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import { TepuiError } from "../../sdk/errors/index.js";

const PREFIX = "RLMT_";

/** `posix/rlimits`: limits of single processes, as the framework asks for them. */
export class RlimitsIsolator implements Isolator {
  readonly name = "posix/rlimits";
  readonly nesting = true;

  async prepare({ container }: ContainerRequest): Promise<Contribution | undefined> {
    const asked = container?.rlimit_info?.rlimits;
    if (asked === undefined) return undefined;
    const rlimits: Record<string, ResourceLimit> = {};
    for (const { type, soft, hard } of asked) {
      const name = type === undefined ? undefined : RLimitInfo_RLimit_Type[type];
      if (!name?.startsWith(PREFIX)) throw refused("Could not convert rlimit: Unknown rlimit type");
      if ((soft === undefined) !== (hard === undefined)) {
        throw refused(`Invalid rlimit values of ${name}: soft and hard limit come together or not at all`);
      }
      if (soft !== undefined && hard !== undefined && soft > hard) {
        throw refused(
          `Invalid rlimit values of ${name}: the soft limit ${soft} is above the hard limit ${hard}`,
        );
      }
      rlimits[name.slice(PREFIX.length).toLowerCase()] = { soft: amountOf(soft), hard: amountOf(hard) };
    }
    return { rlimits };
  }
}

/** What no process can reach is no limit. */
const amountOf = (limit: bigint | undefined): number | undefined =>
  limit === undefined || limit > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(limit);

const refused = (detail: string): TepuiError => new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", { detail });
