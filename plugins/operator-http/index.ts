import { HttpServer } from "../../sdk/contracts/http-server.js";
import { MasterView } from "../../sdk/contracts/master-view.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { OperatorService } from "../../sdk/contracts/operator-service.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { buildInfo } from "../../sdk/v0-json/index.js";
import { OperatorEndpoint } from "./operator-endpoint.js";

export default definePlugin({
  name: "operator-http",
  version: "1.0.0",
  description: "Mesos's v1 operator API of the master over HTTP",
  targets: ["master"],
  requires: { server: HttpServer, service: OperatorService, view: MasterView, metrics: Metrics },
  setup: (_ctx, { server, ...deps }) => {
    server.route(new OperatorEndpoint({ ...deps, build: buildInfo() }));
  },
});
