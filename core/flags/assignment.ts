/** Where the value of a flag or a manifest field came from. */
type OriginKind = "default" | "manifest" | "environment" | "flag" | "flag-file";

export interface Origin {
  readonly kind: OriginKind;
  /** `--port`, `MESOS_PORT`, `/etc/mesos-master/port`, `master.yaml:12`; empty for a default. */
  readonly where: string;
}

/** A flag as a source gives it, before it is interpreted. */
export interface Assignment {
  /** Lower case, without dashes; a boolean may be prefixed with `no-`. */
  readonly name: string;
  /** Undefined: there is no value. */
  readonly text: string | undefined;
  readonly origin: Origin;
}
