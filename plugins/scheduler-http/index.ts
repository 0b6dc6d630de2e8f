import { HttpServer } from "../../sdk/contracts/http-server.js";
import { SchedulerService } from "../../sdk/contracts/scheduler-service.js";
import { bytesText, definePlugin, z } from "../../sdk/plugin/index.js";
import { SchedulerEndpoint } from "./scheduler-endpoint.js";

export default definePlugin({
  name: "scheduler-http",
  version: "1.0.0",
  description: "Mesos's v1 scheduler API over HTTP",
  targets: ["master"],
  requires: { server: HttpServer, service: SchedulerService },
  config: z.strictObject({
    max_subscriber_buffer: bytesText("64MB").meta({
      description:
        "Events that may wait for one scheduler, and a quarter of what may wait for all; one that reads more slowly is disconnected.",
    }),
  }),
  setup: (ctx, { server, service }) => {
    const { random, logger } = ctx;
    const endpoint = new SchedulerEndpoint({
      service,
      random,
      logger,
      maxSubscriberBuffer: ctx.config.max_subscriber_buffer,
    });
    server.route(endpoint);
    return { stop: () => endpoint.stop() };
  },
});
