import { definePlugin, Isolator, z } from "tepui/sdk";

/** Lets containers give way to whatever else runs on the host. */
export default definePlugin({
  name: "niceness",
  version: "1.0.0",
  targets: ["agent"],
  provides: [Isolator],
  config: z.strictObject({ niceness: z.int().min(0).max(19).default(10) }),
  setup: (ctx) =>
    ctx.bind(Isolator, {
      name: "example/niceness",
      prepare: async () => ({ wrap: ["nice", "-n", String(ctx.config.niceness)] }),
    }),
});
