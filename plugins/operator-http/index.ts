import { Files } from "../../sdk/contracts/files.js";
import { HttpServer } from "../../sdk/contracts/http-server.js";
import { LogVerbosity } from "../../sdk/contracts/log-verbosity.js";
import { MasterView } from "../../sdk/contracts/master-view.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { OperatorService } from "../../sdk/contracts/operator-service.js";
import { SharedReads } from "../../sdk/http/index.js";
import { bytesText, definePlugin, z } from "../../sdk/plugin/index.js";
import { buildInfo } from "../../sdk/v0-json/index.js";
import { OperatorEndpoint } from "./operator-endpoint.js";
import { OperatorStreams } from "./operator-streams.js";

export default definePlugin({
  name: "operator-http",
  version: "1.0.0",
  description: "Mesos's v1 operator API of the master over HTTP",
  targets: ["master"],
  requires: {
    server: HttpServer,
    service: OperatorService,
    view: MasterView,
    files: Files,
    metrics: Metrics,
    verbosity: LogVerbosity,
  },
  config: z.strictObject({
    max_operator_event_stream_subscribers: z.coerce.number().int().nonnegative().default(1000),
    max_operator_event_buffer: bytesText("64MB").meta({
      description:
        "Events that may wait for one subscriber, besides the state of the whole cluster with which they begin, and a quarter of what may wait for all; who reads more slowly is disconnected.",
    }),
  }),
  setup: (ctx, { server, ...deps }) => {
    const { clock, logger, config } = ctx;
    const shared = new SharedReads(clock);
    const streams = new OperatorStreams({
      view: deps.view,
      shared,
      clock,
      logger,
      maxSubscribers: config.max_operator_event_stream_subscribers,
      maxSubscriberBuffer: config.max_operator_event_buffer,
      gauge: deps.metrics.counter("master/operator_event_stream_subscribers"),
    });
    server.route(new OperatorEndpoint({ ...deps, build: buildInfo(), streams, shared }));
    return { stop: () => streams.stop() };
  },
});
