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

/** `live` stands before the endpoints of daemons that really run; the others show what was captured. */
const live = (...endpoints: string[]): string[] => endpoints.map((endpoint) => `live ${endpoint}`);

const VERSIONED = ["master /state", "master /version", "agent /state", "agent /version"];
const FLAGS = { master: live("master /state", "master /flags"), agent: live("agent /state", "agent /flags") };

/** Flags of Mesos that exist only when it is built with TLS or the network and XFS isolators. */
const FLAGS_OF_OTHER_BUILDS = [
  "authenticate_http_executors",
  "check_agent_port_range_only",
  "container_ports_watch_interval",
  "egress_flow_classifier_parent",
  "egress_unique_flow_per_container",
  "enforce_container_ports",
  "ephemeral_ports_per_container",
  "ingress_isolate_existing_containers",
  "network_enable_rate_statistics",
  "network_enable_snmp_statistics",
  "network_enable_socket_statistics_details",
  "network_enable_socket_statistics_summary",
  "xfs_kill_containers",
  "xfs_project_range",
  "xfs_quota_headroom",
];

const AGENT_METRICS_WITHOUT_FEATURE = [
  "containerizer/mesos/provisioner/bind/remove_rootfs_errors",
  "containerizer/mesos/provisioner/remove_container_errors",
  "resource_provider_manager/events/disconnect",
  "resource_provider_manager/events/subscribe",
  "resource_provider_manager/subscribed",
];

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
      endpoints: [...VERSIONED, ...live(...VERSIONED)],
      path,
      finding: "missing",
      reason:
        "Optional in Mesos: absent from builds of released sources, and an installed package has no repository.",
    }),
  ),
  ...["build_date", "build_time"].map(
    (path): Difference => ({
      endpoints: path === "build_date" ? [...VERSIONED, ...live(...VERSIONED)] : VERSIONED,
      path,
      finding: "value",
      reason: "Tells when this program was built, not when that one was.",
    }),
  ),
  ...STATISTICS.map(
    (name): Difference => ({
      endpoints: ["agent /monitor/statistics", "live agent /monitor/statistics"],
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
  ...["logging_level", "webui_dir", "work_dir"].map(
    (name): Difference => ({
      endpoints: FLAGS.master,
      path: `flags.${name}`,
      finding: "value",
      reason: "Says where this run keeps its files, and how much it logs.",
    }),
  ),
  {
    endpoints: FLAGS.master,
    path: "flags.grpc_port",
    finding: "extra",
    reason: "The gRPC scheduler API is not part of Mesos.",
  },
  ...["fetcher_cache_dir", "launcher_dir", "logging_level", "runtime_dir", "work_dir"].map(
    (name): Difference => ({
      endpoints: FLAGS.agent,
      path: `flags.${name}`,
      finding: "value",
      reason: "Says where this run keeps its files, and how much it logs.",
    }),
  ),
  {
    endpoints: FLAGS.agent,
    path: "flags.systemd_enable_support",
    finding: "value",
    reason: "Turned off for the captured agent; the default is Mesos's.",
  },
  {
    endpoints: FLAGS.agent,
    path: "flags.resources",
    finding: "extra",
    reason: "This run offers by flag what the captured agent found on its host.",
  },
  ...FLAGS_OF_OTHER_BUILDS.map(
    (name): Difference => ({
      endpoints: FLAGS.agent,
      path: `flags.${name}`,
      finding: "extra",
      reason: "A flag of Mesos that its captured build did not have; agents of other builds show it.",
    }),
  ),
  {
    endpoints: live("agent /state"),
    path: "master_hostname",
    finding: "value",
    reason: "The master's own name for itself, which it was told; Mesos asks the resolver for its address.",
  },
  ...AGENT_METRICS_WITHOUT_FEATURE.map(
    (path): Difference => ({
      endpoints: live("agent /metrics/snapshot"),
      path,
      finding: "missing",
      reason: "Counted once image providers are named; resource providers are not in this version.",
    }),
  ),
];
