import { answerSnapshot } from "../../plugins/metrics-endpoint/snapshot.js";
import { type SystemFigures, systemStatsJson } from "../../plugins/metrics-endpoint/system.js";
import { MetricsRegistry } from "../../sdk/contracts/metrics-registry.js";
import { VirtualClock } from "../../sdk/testing/virtual-clock.js";
import { startServer } from "../plugins/http-server/support.js";
import { type Daemon, fixture, hold } from "./conformance.js";

/** The captured figures as metrics, in another order than that of the answer. */
function metricsOf(daemon: Daemon): MetricsRegistry {
  const metrics = new MetricsRegistry(new VirtualClock());
  const captured = Object.entries(
    JSON.parse(fixture(daemon, "metrics-snapshot").body) as Record<string, number>,
  );
  for (const [name, value] of captured.reverse()) metrics.gauge(name, () => value);
  return metrics;
}

function figuresOf(daemon: Daemon): SystemFigures {
  const stats = JSON.parse(fixture(daemon, "system-stats").body) as Record<string, number>;
  const figure = (name: string): number => stats[name] ?? Number.NaN;
  return {
    load: () => [figure("avg_load_1min"), figure("avg_load_5min"), figure("avg_load_15min")],
    cpus: figure("cpus_total"),
    totalMemory: () => figure("mem_total_bytes"),
    freeMemory: () => figure("mem_free_bytes"),
  };
}

for (const daemon of ["master", "agent"] as const) {
  describe(`the ${daemon}'s metrics against captured answers`, () => {
    it("GET /metrics/snapshot and /system/stats.json", async () => {
      const metrics = metricsOf(daemon);
      const { server, base } = await startServer((http) => {
        http.route({
          path: "/metrics/snapshot",
          handle: (request, reply) => answerSnapshot(metrics, request, reply),
        });
        http.route({
          path: "/system/stats.json",
          handle: (_, reply) => reply.json(systemStatsJson(figuresOf(daemon))),
        });
      });
      try {
        await hold(base, { daemon, path: "/metrics/snapshot", fixture: "metrics-snapshot" });
        await hold(base, { daemon, path: "/system/stats.json", fixture: "system-stats" });
      } finally {
        await server.stop();
      }
    });
  });
}
