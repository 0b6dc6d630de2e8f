import { AgentView } from "../../sdk/contracts/agent-view.js";
import { Containerizer } from "../../sdk/contracts/containerizer.js";
import { ExecutorService } from "../../sdk/contracts/executor-service.js";
import { HttpServer } from "../../sdk/contracts/http-server.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { buildInfo } from "../../sdk/v0-json/index.js";
import { addAgentRoutes } from "./routes.js";

export default definePlugin({
  name: "agent-endpoints",
  version: "1.0.0",
  description: "The agent's read endpoints from before the v1 operator API: /state, /containers and the rest",
  targets: ["agent"],
  requires: { http: HttpServer, view: AgentView, containerizers: Containerizer, executors: ExecutorService },
  setup: (_ctx, { http, view, containerizers, executors }) =>
    addAgentRoutes({ http, view, containerizers, build: buildInfo(), ready: () => executors.ready() }),
});
