import { MessageTransport } from "../../sdk/contracts/message-transport.js";
import { definePlugin, z } from "../../sdk/plugin/index.js";
import { LocalHub } from "./local-hub.js";
import { LocalTransport } from "./local-transport.js";

export default definePlugin({
  name: "local-transport",
  version: "1.0.0",
  description: "Messages between daemons that share a process",
  provides: [MessageTransport],
  config: z.strictObject({
    // An object and no text: only code can give it, a manifest file cannot.
    hub: z.unknown().transform(asHub).optional(),
    ip: z.string().default("127.0.0.1"),
    port: z.coerce.number().int().min(0).max(65_535).default(0),
  }),
  setup: (ctx) => {
    const { config, clock, logger } = ctx;
    const hub = config.hub ?? new LocalHub(clock);
    const transport = new LocalTransport({ hub, ip: config.ip, port: config.port, clock, logger });
    ctx.bind(MessageTransport, transport);
    return { start: () => transport.start(), stop: () => transport.stop() };
  },
});

function asHub(value: unknown, check: z.RefinementCtx): LocalHub | undefined {
  if (value === undefined || value instanceof LocalHub) return value;
  check.issues.push({
    code: "custom",
    message: "expected the LocalHub that the daemons of the process share",
    input: value,
  });
  return z.NEVER;
}
