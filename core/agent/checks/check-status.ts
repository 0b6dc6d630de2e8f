import { type CheckInfo, CheckInfo_Type, type CheckStatusInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import type { CheckOutcome } from "../../../sdk/contracts/checker.js";

/**
 * The check status in a task's status updates.
 *
 * @param outcome absent: no check has completed yet
 */
export function checkStatus(
  check: CheckInfo | undefined,
  { exitCode, statusCode, connected }: Partial<CheckOutcome> = {},
): CheckStatusInfo | undefined {
  switch (check?.type) {
    case CheckInfo_Type.COMMAND:
      return { type: check.type, command: exitCode === undefined ? {} : { exit_code: exitCode } };
    case CheckInfo_Type.HTTP:
      return { type: check.type, http: statusCode === undefined ? {} : { status_code: statusCode } };
    case CheckInfo_Type.TCP:
      return { type: check.type, tcp: connected === undefined ? {} : { succeeded: connected } };
    default:
      return undefined;
  }
}

export const sameCheckStatus = (a: CheckStatusInfo | undefined, b: CheckStatusInfo | undefined): boolean =>
  a?.type === b?.type &&
  a?.command?.exit_code === b?.command?.exit_code &&
  a?.http?.status_code === b?.http?.status_code &&
  a?.tcp?.succeeded === b?.tcp?.succeeded;
