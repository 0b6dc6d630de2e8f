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
const MASTER_TASKS = [
  ["/state", "frameworks.*.tasks.*"],
  ["/frameworks", "frameworks.*.tasks.*"],
  ["/tasks", "tasks.*"],
] as const;
/** Where tasks are shown, with the path of one. */
const TASKS = [
  ...MASTER_TASKS.map(([path, task]) => [`live master ${path}`, task] as const),
  ["live agent /state", "frameworks.*.executors.*.tasks.*"] as const,
];
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
  ...TASKS.flatMap(([endpoint, task]): Difference[] => [
    {
      endpoints: [endpoint],
      path: `${task}.statuses.*.container_status.container_id.parent`,
      finding: "missing",
      reason:
        "Task groups are not in this version; a custom executor stands in, whose tasks share its container.",
    },
    {
      endpoints: [endpoint],
      path: `${task}.statuses.*.container_status.network_infos`,
      finding: "extra",
      reason:
        "The same: the first status of a nested container lacks them, that of a custom executor's task not.",
    },
    ...["statuses.*.healthy", "health_check"].map(
      (path): Difference => ({
        endpoints: [endpoint],
        path: `${task}.${path}`,
        finding: "missing",
        reason: "Health checks are not in this version, and tasks with one are refused.",
      }),
    ),
  ]),
  ...["live master /state", "live master /frameworks", "live agent /state"].map(
    (endpoint): Difference => ({
      endpoints: [endpoint],
      path: "frameworks.*.executors.*.type",
      finding: "value",
      reason: "The default executor is not in this version; a custom executor stands in.",
    }),
  ),
  {
    endpoints: live("master /state", "master /frameworks"),
    path: "frameworks.*.executors.*.command.value",
    finding: "extra",
    reason: "A custom executor has a command, unlike the default executor.",
  },
  {
    endpoints: live("agent /state"),
    path: "master_hostname",
    finding: "value",
    reason: "The master's own name for itself, which it was told; Mesos asks the resolver for its address.",
  },
  ...["messages_processed", "messages_received"].map(
    (name): Difference => ({
      endpoints: live("master /metrics/snapshot"),
      path: `frameworks/fix/${name}`,
      finding: "missing",
      reason:
        "Count messages of schedulers that speak libprocess, which are not served here; 0 for all others.",
    }),
  ),
  ...AGENT_METRICS_WITHOUT_FEATURE.map(
    (path): Difference => ({
      endpoints: live("agent /metrics/snapshot"),
      path,
      finding: "missing",
      reason: "Images and resource providers are not in this version.",
    }),
  ),
];
