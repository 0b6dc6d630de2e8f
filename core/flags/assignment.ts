/** Where the value of a flag or a manifest field came from. */
type OriginKind = "default" | "manifest" | "environment" | "flag" | "flag-file";

export interface Origin {
  readonly kind: OriginKind;
  /** `--port`, `MESOS_PORT`, `/etc/mesos-master/port`, `master.yaml:12`; empty for a default. */
  readonly where: string;
}

/** A flag as one source gives it, not understood yet. */
export interface Assignment {
  /** Lower case, without dashes; for a boolean perhaps with `no-` in front. */
  readonly name: string;
  /** Undefined: the name stands alone. */
  readonly text: string | undefined;
  readonly origin: Origin;
}
