import { HttpServer } from "../../sdk/contracts/http-server.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { answerSnapshot } from "./snapshot.js";
import { hostFigures, publishSystemFigures, systemStatsJson } from "./system.js";

export default definePlugin({
  name: "metrics-endpoint",
  version: "1.0.0",
  description: "Serves the daemon's metrics and figures of the machine as JSON",
  requires: { http: HttpServer, metrics: Metrics },
  setup(ctx, { http, metrics }) {
    const figures = hostFigures();
    publishSystemFigures(metrics, figures);
    const realm = `mesos-${ctx.host.target}-readonly`;
    // `/stats.json` is the name of before 0.23.
    for (const path of ["/metrics/snapshot", "/stats.json"]) {
      http.route({ path, realm, handle: (request, reply) => answerSnapshot(metrics, request, reply) });
    }
    http.route({ path: "/system/stats.json", handle: (_, reply) => reply.json(systemStatsJson(figures)) });
  },
});
