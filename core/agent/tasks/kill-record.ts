export const KILL_CAUSES = ["killed", "overtime", "unhealthy"] as const;

/** Why a task is made to end: somebody asked for it, its time is over, or its health checks failed too often. */
export type KillCause = (typeof KILL_CAUSES)[number];

/** What is written down of a task that is made to end, for a later run of the agent to go on with. */
export interface KillRecord {
  readonly cause: KillCause;
  /** When it is ended for good, in milliseconds since the epoch; undefined: as long after the restart as it would have been given. */
  readonly deadline: number | undefined;
  /** It was asked to end, with SIGTERM, which many programs take worse the second time. */
  readonly asked: boolean;
}

export const killRecordText = ({ cause, deadline, asked }: KillRecord): string =>
  [cause, String(deadline ?? ""), ...(asked ? ["asked"] : [])].join(" ");

/** Whatever is left of the record, the task was being ended. */
export function readKillRecord(text: string): KillRecord {
  const [cause, deadline = "", asked] = text.split(" ");
  return {
    cause: KILL_CAUSES.find((one) => one === cause) ?? "killed",
    deadline: /^\d{1,15}$/.test(deadline) ? Number(deadline) : undefined,
    asked: asked === "asked",
  };
}
