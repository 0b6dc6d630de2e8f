import { HttpServer } from "../../sdk/contracts/http-server.js";
import { MessageTransport } from "../../sdk/contracts/message-transport.js";
import { bytesText, definePlugin, durationText, z } from "../../sdk/plugin/index.js";
import { LibprocessTransport } from "./transport.js";

export default definePlugin({
  name: "libprocess-transport",
  version: "1.0.0",
  description: "Messages between daemons in libprocess's HTTP form",
  provides: [MessageTransport],
  requires: { server: HttpServer },
  config: z.strictObject({
    max_message_size: bytesText("64MB"),
    max_queue_size: bytesText("256MB"),
    idle_connection_timeout: durationText("10mins"),
    require_peer_address_ip_match: z.union([z.boolean(), z.stringbool()]).default(false),
  }),
  setup: (ctx, { server }) => {
    const { config, clock, logger } = ctx;
    const transport = new LibprocessTransport(
      {
        maxMessageBytes: config.max_message_size,
        maxQueuedBytes: config.max_queue_size,
        idleTimeout: config.idle_connection_timeout,
        requirePeerAddressIpMatch: config.require_peer_address_ip_match,
      },
      { server, clock, logger },
    );
    ctx.bind(MessageTransport, transport);
    return { start: () => transport.start(), stop: () => transport.stop() };
  },
});
