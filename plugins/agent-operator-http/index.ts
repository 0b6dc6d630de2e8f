import { AgentContainers } from "../../sdk/contracts/agent-containers.js";
import { AgentView } from "../../sdk/contracts/agent-view.js";
import { ExecutorService } from "../../sdk/contracts/executor-service.js";
import { Files } from "../../sdk/contracts/files.js";
import { HttpServer } from "../../sdk/contracts/http-server.js";
import { LogVerbosity } from "../../sdk/contracts/log-verbosity.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { definePlugin, durationText, z } from "../../sdk/plugin/index.js";
import { buildInfo } from "../../sdk/v0-json/index.js";
import { AgentEndpoint } from "./agent-endpoint.js";

export default definePlugin({
  name: "agent-operator-http",
  version: "1.0.0",
  description: "Mesos's v1 operator API of the agent over HTTP",
  targets: ["agent"],
  requires: {
    server: HttpServer,
    containers: AgentContainers,
    executors: ExecutorService,
    view: AgentView,
    files: Files,
    metrics: Metrics,
    verbosity: LogVerbosity,
  },
  config: z.strictObject({
    http_heartbeat_interval: durationText("30secs"),
  }),
  setup: (ctx, { server, executors, ...parts }) => {
    const { clock, logger } = ctx;
    const heartbeatInterval = ctx.config.http_heartbeat_interval;
    server.route(
      new AgentEndpoint({
        ...parts,
        ready: () => executors.ready(),
        build: buildInfo(),
        clock,
        logger,
        heartbeatInterval,
      }),
    );
  },
});
