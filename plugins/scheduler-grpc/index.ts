import { logVerbosity, setLogVerbosity } from "@grpc/grpc-js";
import { SchedulerService } from "../../sdk/contracts/scheduler-service.js";
import { bytesText, definePlugin, durationText, z } from "../../sdk/plugin/index.js";
import { GrpcServer } from "./server.js";

export default definePlugin({
  name: "scheduler-grpc",
  version: "1.0.0",
  description: "The scheduler API over gRPC, with health and reflection, on a port of its own",
  targets: ["master"],
  requires: { service: SchedulerService },
  config: z.strictObject({
    ip: z.string().default("0.0.0.0").meta({ description: "Address to listen on." }),
    grpc_port: z.coerce.number().int().min(0).max(65_535).default(5055).meta({
      description: "Port to listen on, the same on every master of a cluster; 0 takes any free one.",
    }),
    max_message_size: bytesText("64MB"),
    max_buffered: bytesText("32MB"),
    max_sessions: z.coerce.number().int().positive().default(10_000),
    stop_grace: durationText("3secs"),
  }),
  // A master without it still serves every HTTP client: a taken port is no reason not to start.
  failure: "degrade",
  setup: ({ clock, config, logger, random }, { service }) => {
    const server = new GrpcServer(
      {
        ip: config.ip,
        port: config.grpc_port,
        maxMessageBytes: config.max_message_size,
        maxBufferedBytes: config.max_buffered,
        maxSessions: config.max_sessions,
        stopGrace: config.stop_grace,
      },
      { service, clock, random, logger },
    );
    // What it writes to the console by itself, it also tells its caller.
    setLogVerbosity(logVerbosity.NONE);
    return { start: () => server.start(), stop: () => server.stop() };
  },
});
