import { HttpServer } from "../../sdk/contracts/http-server.js";
import { bytesText, definePlugin, durationText, z } from "../../sdk/plugin/index.js";
import { roomForConnections } from "./descriptors.js";
import { OnePortServer } from "./server.js";

const port = z.coerce.number().int().min(0).max(65_535);

/** Below, slow networks would be taken for attacks. */
const MIN_RECEIVE_TIMEOUT_MS = 1000;

/** Answers that clients have yet to read, together; or four of the largest, if that is more. */
const MAX_UNREAD_BYTES = 256 * 1024 * 1024;

const DEFAULTS = {
  master: { port: 5050, processId: "master" },
  agent: { port: 5051, processId: "slave(1)" },
} as const;

export default definePlugin({
  name: "http-server",
  version: "1.0.0",
  description: "The daemon's one port, for HTTP and for messages",
  provides: [HttpServer],
  config: z.strictObject({
    ip: z.string().optional().meta({ description: "Address to listen on; absent: all." }),
    port: port.optional().meta({ description: "Port to listen on; 0 takes any free one." }),
    advertise_ip: z.string().optional().meta({ description: "Address told to others." }),
    advertise_port: port.optional().meta({ description: "Port told to others." }),
    ip_discovery_command: z.string().optional().meta({ description: "Prints the address to listen on." }),
    hostname: z.string().optional().meta({ description: "Name told to others; absent: looked up." }),
    hostname_lookup: z.union([z.boolean(), z.stringbool()]).default(true),
    max_body_size: bytesText("64MB"),
    max_receiving_size: bytesText("128MB").meta({
      description: "Bodies that may be coming in, together; over it, the largest is cut off.",
    }),
    max_connections: z.coerce.number().int().positive().default(50_000),
    receive_timeout: durationText("60secs"),
    keep_alive_timeout: durationText("10mins"),
    stop_grace: durationText("3secs"),
  }),
  setup: (ctx) => {
    const { config, clock, logger } = ctx;
    const defaults = DEFAULTS[ctx.host.target];
    const room = roomForConnections();
    const server = new OnePortServer(
      {
        ...config,
        port: config.port ?? defaults.port,
        processId: defaults.processId,
        maxBodyBytes: config.max_body_size,
        maxReceivingBytes: config.max_receiving_size,
        maxUnreadBytes: MAX_UNREAD_BYTES,
        maxConnections: Math.min(config.max_connections, room),
        receiveTimeout: Math.max(config.receive_timeout, MIN_RECEIVE_TIMEOUT_MS),
        keepAliveTimeout: config.keep_alive_timeout,
        stopGrace: config.stop_grace,
      },
      { clock, logger },
    );
    ctx.bind(HttpServer, server);
    return {
      start: () => {
        if (room < config.max_connections) {
          const connections = { connections: room, max_connections: config.max_connections };
          logger.info(
            connections,
            "the limit of open files leaves room for fewer connections than it might take",
          );
        }
        return server.start();
      },
      stop: () => server.stop(),
    };
  },
});
