import { AgentContainers } from "../../sdk/contracts/agent-containers.js";
import { AgentView } from "../../sdk/contracts/agent-view.js";
import { HttpServer } from "../../sdk/contracts/http-server.js";
import { definePlugin, durationText, z } from "../../sdk/plugin/index.js";
import { AgentEndpoint } from "./agent-endpoint.js";

export default definePlugin({
  name: "agent-operator-http",
  version: "1.0.0",
  description: "Mesos's v1 operator API of the agent over HTTP",
  targets: ["agent"],
  requires: { server: HttpServer, containers: AgentContainers, view: AgentView },
  config: z.strictObject({
    http_heartbeat_interval: durationText("30secs"),
  }),
  setup: (ctx, { server, containers, view }) => {
    const { clock, logger } = ctx;
    const heartbeatInterval = ctx.config.http_heartbeat_interval;
    server.route(new AgentEndpoint({ containers, view, clock, logger, heartbeatInterval }));
  },
});
