import { resolve } from "node:path";
import { RootfsBackend } from "../../sdk/contracts/image.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { Random } from "../../sdk/contracts/random.js";
import { definePlugin, z } from "../../sdk/plugin/index.js";
import { BindBackend } from "./bind-backend.js";
import { CopyBackend } from "./copy-backend.js";
import { OverlayBackend } from "./overlay-backend.js";

export default definePlugin({
  name: "rootfs-backends",
  version: "1.0.0",
  description: "overlay, copy and bind: root file systems of containers out of the layers of images",
  targets: ["agent"],
  provides: [RootfsBackend],
  requires: { metrics: Metrics, random: Random },
  config: z.strictObject({
    image_providers: z.string().default(""),
    runtime_dir: z.string().default("/var/run/mesos"),
  }),
  setup(ctx, { metrics, random }) {
    if (ctx.config.image_providers === "") ctx.skip("image_providers is empty");
    const errors = metrics.counter("containerizer/mesos/provisioner/bind/remove_rootfs_errors");
    ctx.bind(RootfsBackend, new OverlayBackend(random, resolve(ctx.config.runtime_dir)), { key: "overlay" });
    ctx.bind(RootfsBackend, new CopyBackend(), { key: "copy" });
    ctx.bind(RootfsBackend, new BindBackend(errors), { key: "bind" });
  },
});
