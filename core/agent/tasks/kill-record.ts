export const KILL_CAUSES = ["killed", "overtime", "unhealthy"] as const;

/** Why a task is made to end: somebody asked for it, its time is over, or its health checks failed too often. */
export type KillCause = (typeof KILL_CAUSES)[number];

/** What is written down of a task that is made to end, for a later run of the agent to go on with. */
export interface KillRecord {
  readonly cause: KillCause;
  /** Between SIGTERM and SIGKILL, in milliseconds; undefined: as long as the task wishes. */
  readonly grace: number | undefined;
  /**
   * When SIGKILL is due, in milliseconds since the epoch; undefined: SIGTERM may not have been sent. Many programs take a second one
   * worse than the first.
   */
  readonly deadline: number | undefined;
}

/** Nothing more is known, or needed, than that somebody asked for the end. */
export const KILLED: KillRecord = { cause: "killed", grace: undefined, deadline: undefined };

const GRACE = "grace=";
const DEADLINE = "deadline=";

export const killRecordText = ({ cause, grace, deadline }: KillRecord): string =>
  [
    cause,
    ...(grace === undefined ? [] : [`${GRACE}${grace}`]),
    ...(deadline === undefined ? [] : [`${DEADLINE}${deadline}`]),
  ].join(" ");

/** Whatever is left of the record, the task was being ended. */
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
 * Milliseconds until SIGKILL, for a run of the agent that goes on with a kill.
 *
 * @param wished what the task asks for
 * @param now milliseconds since the epoch
 */
export function graceLeft({ grace, deadline }: KillRecord, wished: number, now: number): number {
  const whole = grace ?? wished;
  // A clock that was set back meanwhile must not make it longer.
  return deadline === undefined ? whole : Math.min(whole, Math.max(0, deadline - now));
}
