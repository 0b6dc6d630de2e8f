import { crc32 } from "node:zlib";

export const KILL_CAUSES = ["killed", "overtime", "unhealthy"] as const;

/** Why a task is being killed: on request, because its time is up, or because too many health checks failed. */
export type KillCause = (typeof KILL_CAUSES)[number];

/** What is recorded about a task that is being killed, so that a later run of the agent can continue. */
export interface KillRecord {
  readonly cause: KillCause;
  /** Between SIGTERM and SIGKILL, in milliseconds; undefined: the task's own grace period. */
  readonly grace: number | undefined;
  /**
   * When SIGKILL is due, in milliseconds since the epoch; undefined: SIGTERM may not have been sent. Many programs react to a second
   * SIGTERM worse than to the first.
   */
  readonly deadline: number | undefined;
}

/** Somebody asked for the end; nothing more is known, or needed. */
export const KILLED: KillRecord = { cause: "killed", grace: undefined, deadline: undefined };

const GRACE = "grace=";
const DEADLINE = "deadline=";

export function killRecordText({ cause, grace, deadline }: KillRecord): string {
  const record = [
    cause,
    ...(grace === undefined ? [] : [`${GRACE}${grace}`]),
    ...(deadline === undefined ? [] : [`${DEADLINE}${deadline}`]),
  ].join(" ");
  return `${record} sum=${sumOf(record)}`;
}

const sumOf = (record: string): string => crc32(record).toString(16).padStart(8, "0");

const UNSEALED = new RegExp(`^(?:${KILL_CAUSES.join("|")})(?: ${GRACE}[\\d.]+)?(?: ${DEADLINE}[\\d.]+)?$`);

/** Whether the record is undamaged. Earlier versions wrote no checksum. */
export function isWholeKillRecord(text: string): boolean {
  const [, record, sum] = /^(.*) sum=([0-9a-f]{8})$/s.exec(text) ?? [];
  return record === undefined ? UNSEALED.test(text) : sum === sumOf(record);
}

/** However much of the record is left, the task was being killed. */
export function readKillRecord(text: string): KillRecord {
  const [cause, ...fields] = text.split(" ");
  const number = (name: string): number | undefined => {
    const digits = fields.find((field) => field.startsWith(name))?.slice(name.length) ?? "";
    return /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
  };
  return {
    cause: KILL_CAUSES.find((one) => one === cause) ?? "killed",
    grace: number(GRACE),
    deadline: number(DEADLINE),
  };
}

/**
 * Milliseconds until SIGKILL, for a run of the agent that continues a kill.
 *
 * @param wished the task's own grace period
 * @param now milliseconds since the epoch
 */
export function graceLeft({ grace, deadline }: KillRecord, wished: number, now: number): number {
  const whole = grace ?? wished;
  // A clock that was set back must not extend it.
  return deadline === undefined ? whole : Math.min(whole, Math.max(0, deadline - now));
}
