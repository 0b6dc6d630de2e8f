import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ImageStore, Provisioner, RootfsBackend } from "../../sdk/contracts/image.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import { definePlugin, z } from "../../sdk/plugin/index.js";
import { chooseBackend } from "./choose-backend.js";
import { diskUsage, ImageGc, type ImageGcSettings, readGcConfig } from "./image-gc.js";
import { ImageProvisioner } from "./image-provisioner.js";
import { ProvisionerRecords } from "./records.js";

const config = z.strictObject({
  work_dir: z.string().min(1),
  image_providers: z.string().default(""),
  image_provisioner_backend: z.string().optional(),
  image_gc_config: z
    .unknown()
    .optional()
    .transform((value, check): ImageGcSettings | undefined => {
      if (value === undefined) return undefined;
      try {
        return readGcConfig(value);
      } catch (error) {
        check.issues.push({ code: "custom", message: messageOf(error), input: value });
        return z.NEVER;
      }
    })
    .meta({
      description: "Message ImageGcConfig: image_disk_headroom, image_disk_watch_interval, excluded_images.",
    }),
  docker_store_dir: z.string().min(1).default("/tmp/mesos/store/docker"),
});

/** Every type of image that is asked for must have a store. */
function checkProviders(providers: string, stores: ReadonlyMap<string, ImageStore>): void {
  for (const provider of providers.split(",").map((name) => name.trim().toLowerCase())) {
    if (provider === "" || stores.has(provider)) continue;
    throw new TepuiError("TEPUI_ISOLATION_UNAVAILABLE", {
      detail: `--image_providers names '${provider}', and no plugin keeps such images`,
    });
  }
}

export default definePlugin({
  name: "provisioner",
  version: "1.0.0",
  description: "Root file systems of containers out of images",
  targets: ["agent"],
  provides: [Provisioner],
  requires: { stores: ImageStore, backends: RootfsBackend, metrics: Metrics },
  config,
  setup(ctx, { stores, backends, metrics }) {
    const settings = ctx.config;
    if (settings.image_providers === "") ctx.skip("image_providers is empty");
    const root = join(resolve(settings.work_dir), "provisioner");
    let backend = "";
    const provisioner = new ImageProvisioner(
      {
        stores,
        backends,
        records: new ProvisionerRecords(root),
        excludedImages: settings.image_gc_config?.excludedImages ?? [],
        removeErrors: metrics.counter("containerizer/mesos/provisioner/remove_container_errors"),
        random: ctx.random,
        logger: ctx.logger,
      },
      () => backend,
    );
    ctx.bind(Provisioner, provisioner);
    const gc =
      settings.image_gc_config &&
      new ImageGc({
        settings: settings.image_gc_config,
        usage: () => diskUsage(settings.docker_store_dir),
        prune: () => provisioner.prune([]),
        clock: ctx.clock,
        logger: ctx.logger,
      });
    return {
      start: async () => {
        checkProviders(settings.image_providers, stores);
        await mkdir(root, { recursive: true, mode: 0o700 });
        backend = await chooseBackend({
          wanted: settings.image_provisioner_backend,
          backends,
          directory: root,
          logger: ctx.logger,
        });
        ctx.logger.info({ backend }, "root file systems are made by this backend");
        gc?.start();
      },
      stop: () => gc?.stop(),
    };
  },
});
