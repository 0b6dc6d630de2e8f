import { type CheckInfo, CheckInfo_Type, type CheckStatusInfo } from "../../../proto/gen/mesos/v1/mesos.js";

/** What statuses of a checked task carry before any check gave a result. */
export function emptyCheckStatus(check: CheckInfo | undefined): CheckStatusInfo | undefined {
  switch (check?.type) {
    case CheckInfo_Type.COMMAND:
      return { type: check.type, command: {} };
    case CheckInfo_Type.HTTP:
      return { type: check.type, http: {} };
    case CheckInfo_Type.TCP:
      return { type: check.type, tcp: {} };
    default:
      return undefined;
  }
}
