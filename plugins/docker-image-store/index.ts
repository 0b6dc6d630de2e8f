import { Clock } from "../../sdk/contracts/clock.js";
import { ImageStore } from "../../sdk/contracts/image.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { Random } from "../../sdk/contracts/random.js";
import { SecretResolver } from "../../sdk/contracts/secret-resolver.js";
import { bytesText, definePlugin, durationText, optional, z } from "../../sdk/plugin/index.js";
import { hostPlatform } from "./platform.js";
import { readDockerConfig } from "./registry/docker-config.js";
import { checkRequirements } from "./requirements.js";
import { LazySource } from "./source/lazy-source.js";
import { sourcePlace } from "./source/source-of.js";
import { DockerImageStore } from "./store/docker-image-store.js";
import { ImageCredentials } from "./store/image-credentials.js";
import { agentStore, StorePaths } from "./store/paths.js";

const config = z.strictObject({
  work_dir: z.string().min(1),
  image_providers: z.string().default(""),
  docker_registry: z.string().default("https://registry-1.docker.io"),
  docker_store_dir: z.string().min(1).default("/tmp/mesos/store/docker"),
  docker_config: z
    .unknown()
    .optional()
    .meta({ secret: true, description: "Docker's config.json: credentials by registry." }),
  max_layer_size: bytesText("50GB").meta({ description: "Larger layers are refused, packed or unpacked." }),
  registry_stall_timeout: durationText("1mins").meta({
    description: "A registry that sends nothing for so long is asked again.",
  }),
});

export default definePlugin({
  name: "docker-image-store",
  version: "1.0.0",
  description: "Pulls Docker and OCI images from registries, archives and layouts, and keeps their layers",
  targets: ["agent"],
  provides: [ImageStore],
  requires: { metrics: Metrics, clock: Clock, random: Random, secrets: optional(SecretResolver) },
  config,
  setup(ctx, { metrics, clock, random, secrets }) {
    const { config: settings, logger } = ctx;
    if (!/(^|,)\s*docker\s*(,|$)/i.test(settings.image_providers)) {
      ctx.skip("image_providers does not name docker");
    }
    const place = sourcePlace(settings.docker_registry);
    const source = new LazySource({
      place,
      credentials: readDockerConfig(settings.docker_config, "--docker_config"),
      platform: hostPlatform(),
      maxLayerBytes: settings.max_layer_size,
      stallTimeout: settings.registry_stall_timeout,
      clock,
      random,
    });
    const store = new DockerImageStore({
      paths: new StorePaths(agentStore(settings.docker_store_dir, settings.work_dir)),
      source,
      credentials: new ImageCredentials(secrets, place.kind === "registry" ? place.url : undefined),
      maxLayerBytes: settings.max_layer_size,
      pullTimer: metrics.timer("containerizer/mesos/provisioner/docker_store/image_pull"),
      random,
      logger,
    });
    ctx.bind(ImageStore, store, { key: "docker" });
    return { start: checkRequirements, stop: () => source.close() };
  },
});
