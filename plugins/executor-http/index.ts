import { ExecutorService } from "../../sdk/contracts/executor-service.js";
import { HttpServer } from "../../sdk/contracts/http-server.js";
import { bytesText, definePlugin, z } from "../../sdk/plugin/index.js";
import { ExecutorEndpoint } from "./executor-endpoint.js";

export default definePlugin({
  name: "executor-http",
  version: "1.0.0",
  description: "Mesos's v1 executor API over HTTP",
  targets: ["agent"],
  requires: { server: HttpServer, service: ExecutorService },
  config: z.strictObject({
    max_subscriber_buffer: bytesText("64MB").meta({
      description:
        "Events that may wait for one executor, and a quarter of what may wait for all; one that reads more slowly is disconnected.",
    }),
  }),
  setup: (ctx, { server, service }) => {
    const endpoint = new ExecutorEndpoint({
      service,
      logger: ctx.logger,
      maxSubscriberBuffer: ctx.config.max_subscriber_buffer,
    });
    server.route(endpoint);
    return { stop: () => endpoint.stop() };
  },
});
