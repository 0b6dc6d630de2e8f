import type { Assignment } from "./assignment.js";
import type { Environment } from "./sources.js";

/** What a variable of Mesos's messaging library does here. */
type Effect =
  | { readonly kind: "flag"; readonly name: string }
  | { readonly kind: "refused"; readonly harmless: readonly string[]; readonly why: string }
  | { readonly kind: "no-effect"; readonly why: string };

const OFF = ["false", "0"];
const SINGLE_THREADED = "one thread does all of this work";

/**
 * Variables of libprocess, and one that the master's log reads. TLS settings are not listed: they only matter if TLS is on, which is
 * refused.
 */
const EFFECTS: Readonly<Record<string, Effect>> = {
  LIBPROCESS_IP: { kind: "flag", name: "ip" },
  LIBPROCESS_ADVERTISE_IP: { kind: "flag", name: "advertise_ip" },
  LIBPROCESS_ADVERTISE_PORT: { kind: "flag", name: "advertise_port" },
  LIBPROCESS_PORT: { kind: "no-effect", why: "a daemon listens on --port, also upstream" },
  LIBPROCESS_IP6: { kind: "refused", harmless: [], why: "IPv6 is not part of this version yet" },
  LIBPROCESS_SSL_ENABLED: { kind: "refused", harmless: OFF, why: "TLS is not part of this version yet" },
  SSL_ENABLED: { kind: "refused", harmless: OFF, why: "TLS is not part of this version yet" },
  LIBPROCESS_REQUIRE_PEER_ADDRESS_IP_MATCH: { kind: "flag", name: "require_peer_address_ip_match" },
  LIBPROCESS_MEMORY_PROFILING: {
    kind: "refused",
    harmless: OFF,
    why: "heap profiling belongs to the C++ daemon; use node --inspect",
  },
  LIBPROCESS_METRICS_SNAPSHOT_ENDPOINT_RATE_LIMIT: {
    kind: "refused",
    harmless: ["2/1secs"],
    why: "limiting /metrics/snapshot is not part of this version yet",
  },
  LIBPROCESS_NUM_WORKER_THREADS: { kind: "no-effect", why: SINGLE_THREADED },
  LIBPROCESS_LIBEV_NUM_IO_THREADS: { kind: "no-effect", why: SINGLE_THREADED },
  LIBPROCESS_ENABLE_PROFILER: { kind: "no-effect", why: "profile with node --cpu-prof" },
  MESOS_LOG_AUTO_COMPACT_DISABLED: { kind: "no-effect", why: "the registry is not kept in leveldb" },
};

export interface LibprocessEnvironment {
  readonly assignments: readonly Assignment[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Reads what Mesos's messaging library would; nothing is ignored silently. */
export function readLibprocessEnvironment(environment: Environment): LibprocessEnvironment {
  const assignments: Assignment[] = [];
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const [variable, effect] of Object.entries(EFFECTS)) {
    const text = environment[variable];
    if (text === undefined || text === "") continue;
    if (effect.kind === "flag") {
      assignments.push({ name: effect.name, text, origin: { kind: "environment", where: variable } });
    } else if (effect.kind === "no-effect") {
      warnings.push(`${variable} has no effect: ${effect.why}`);
    } else if (!effect.harmless.includes(text)) {
      problems.push(`${variable}: is refused: ${effect.why}`);
    }
  }
  return { assignments, problems, warnings };
}
