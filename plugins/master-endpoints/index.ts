import { HttpServer } from "../../sdk/contracts/http-server.js";
import { MasterView } from "../../sdk/contracts/master-view.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { buildInfo } from "../../sdk/v0-json/index.js";
import { addMasterRoutes } from "./routes.js";

export default definePlugin({
  name: "master-endpoints",
  version: "1.0.0",
  description:
    "The master's read endpoints from before the v1 operator API: /state, /slaves, /tasks and the rest",
  targets: ["master"],
  requires: { http: HttpServer, view: MasterView },
  setup: (_ctx, { http, view }) => addMasterRoutes(http, view, buildInfo()),
});
