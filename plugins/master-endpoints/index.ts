import { HttpServer } from "../../sdk/contracts/http-server.js";
import { MasterView } from "../../sdk/contracts/master-view.js";
import { OperatorService } from "../../sdk/contracts/operator-service.js";
import { Registry } from "../../sdk/contracts/registry.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { buildInfo } from "../../sdk/v0-json/index.js";
import { addMaintenanceRoutes } from "./maintenance-routes.js";
import { addOperatorRoutes } from "./operator-routes.js";
import { addRegistryRoutes } from "./registry-routes.js";
import { addMasterRoutes } from "./routes.js";

export default definePlugin({
  name: "master-endpoints",
  version: "1.0.0",
  description:
    "The master's endpoints from before the v1 operator API: /state, /slaves, /tasks, /reserve, /quota, /maintenance and the rest",
  targets: ["master"],
  requires: { http: HttpServer, view: MasterView, operator: OperatorService, registry: Registry },
  setup: ({ clock }, { http, view, operator, registry }) => {
    addMasterRoutes(http, view, { build: buildInfo(), clock });
    addOperatorRoutes(http, operator);
    addMaintenanceRoutes(http, operator);
    addRegistryRoutes(http, { view, registry });
  },
});
