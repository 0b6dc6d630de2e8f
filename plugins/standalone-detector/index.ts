import { lookup } from "node:dns/promises";
import { Election } from "../../sdk/contracts/election.js";
import { definePlugin, z } from "../../sdk/plugin/index.js";
import { parseMasterAddress } from "./master-address.js";
import { StandaloneDetector } from "./standalone-detector.js";

const masterAddress = z
  .string()
  .transform((text, check) => {
    const parsed = parseMasterAddress(text);
    if (parsed.ok) return parsed.value;
    check.issues.push({ code: "custom", message: parsed.error, input: text });
    return z.NEVER;
  })
  .meta({ description: "Address of the master: host:port or master@host:port." });

export default definePlugin({
  name: "standalone-detector",
  version: "1.0.0",
  description: "Follows one master at a fixed address",
  targets: ["agent"],
  provides: [Election],
  config: z.strictObject({ master: masterAddress }),
  setup(ctx) {
    const detector = new StandaloneDetector({
      address: ctx.config.master,
      // libprocess speaks IPv4 only.
      resolve: async (host) => (await lookup(host, { family: 4, all: true })).map(({ address }) => address),
      clock: ctx.clock,
      random: ctx.random,
      logger: ctx.logger,
    });
    ctx.bind(Election, detector);
    return { start: () => detector.start(), stop: () => detector.stop() };
  },
});
