/** How a candidate's node describes the candidate. */
export type MemberFormat =
  /** `json.info_`: MasterInfo as JSON, since Mesos 0.24. */
  | "json"
  /** `info_`: MasterInfo as protobuf. */
  | "protobuf"
  /** No label: the address of the master's process, as text. */
  | "pid";

/** A candidate, as the name of its node describes it. */
export interface Member {
  readonly name: string;
  readonly sequence: number;
  readonly format: MemberFormat;
}

/** Prefix of a new candidate's node; the server appends the sequence number. */
export const MEMBER_PREFIX = "json.info_";

const FORMATS: Readonly<Record<string, MemberFormat>> = {
  "json.info_": "json",
  info_: "protobuf",
  "": "pid",
};

/** Undefined for nodes that are not candidates, such as `log_replicas`. */
function memberOf(name: string): Member | undefined {
  // After 2,147,483,647 the server's counter overflows to negative numbers.
  const parts = /^(.*?)(-?\d{9,10})$/.exec(name);
  const format = parts === null ? undefined : FORMATS[parts[1]!];
  return format === undefined ? undefined : { name, sequence: Number(parts![2]), format };
}

/** The candidates among the children of the group's path, the leader first. */
export function membersOf(children: readonly string[]): Member[] {
  return children
    .flatMap((name) => memberOf(name) ?? [])
    .sort((one, other) => one.sequence - other.sequence || (one.name < other.name ? -1 : 1));
}
