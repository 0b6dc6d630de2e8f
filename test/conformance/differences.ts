import type { Finding } from "./compare.js";

/** A difference from Mesos's answer that is meant. */
export interface Difference {
  /** `master /state`: the daemon and the path. */
  readonly endpoints: readonly string[];
  /** Names joined by dots; list items are `*`. `(answer)` is the answer as a whole. */
  readonly path: string;
  readonly finding: Finding;
  readonly reason: string;
}

const VERSIONED = ["master /state", "master /version", "agent /state", "agent /version"];

const STATISTICS = [
  "cpus_soft_limit",
  "cpus_system_time_secs",
  "cpus_user_time_secs",
  "mem_limit_bytes",
  "mem_rss_bytes",
  "mem_soft_limit_bytes",
  "timestamp",
];

/** Every difference from the captured answers; one that no longer occurs fails the test that looks for it. */
export const DIFFERENCES: readonly Difference[] = [
  ...["git_sha", "git_branch"].map(
    (path): Difference => ({
      endpoints: VERSIONED,
      path,
      finding: "missing",
      reason:
        "Optional in Mesos: absent from builds of released sources, and an installed package has no repository.",
    }),
  ),
  ...["build_date", "build_time"].map(
    (path): Difference => ({
      endpoints: VERSIONED,
      path,
      finding: "value",
      reason: "Tells when this program was built, not when that one was.",
    }),
  ),
  ...STATISTICS.map(
    (name): Difference => ({
      endpoints: ["agent /monitor/statistics"],
      path: `*.${name}`,
      finding: "extra",
      reason:
        "The statistics also stand beside the other fields, where tools for old versions look for them.",
    }),
  ),
  ...["master /state.json", "master /tasks.json", "master /roles.json", "agent /state.json"].map(
    (endpoint): Difference => ({
      endpoints: [endpoint],
      path: "(answer)",
      finding: "extra",
      reason: "Names of before 1.8, for tools that still use them; Mesos 1.12 answers 404.",
    }),
  ),
  {
    endpoints: ["agent /monitor/statistics.json"],
    path: "(answer)",
    finding: "extra",
    reason: "The name of before 1.8, for tools that still use it; Mesos 1.12 answers 404.",
  },
];
