import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { ContainerLogger } from "../../sdk/contracts/container-logger.js";
import { Containerizer } from "../../sdk/contracts/containerizer.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { SandboxFetch } from "../../sdk/contracts/sandbox-fetch.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import { definePlugin, durationText, z } from "../../sdk/plugin/index.js";
import { DockerContainerizer } from "./containerizer.js";
import { readDefaultDns } from "./default-dns.js";
import { Engine } from "./engine.js";

const flag = z.union([z.boolean(), z.stringbool()]);

const config = z.strictObject({
  containerizers: z.string().default("mesos"),
  work_dir: z.string().min(1),
  runtime_dir: z.string().default("/var/run/mesos"),
  sandbox_directory: z.string().startsWith("/").default("/mnt/mesos/sandbox"),
  cgroups_enable_cfs: flag.default(false),
  docker_socket: z.string().startsWith("/").default("/var/run/docker.sock"),
  docker_remove_delay: durationText("6hrs"),
  docker_stop_timeout: durationText("0ns"),
  docker_kill_orphans: flag.default(true),
  docker_config: z.record(z.string(), z.unknown()).meta({ secret: true }).optional(),
  default_container_dns: z
    .unknown()
    .transform((json, check) => {
      try {
        return json === undefined ? undefined : readDefaultDns(json);
      } catch (error) {
        check.issues.push({ code: "custom", message: messageOf(error), input: json });
        return z.NEVER;
      }
    })
    .optional(),
});

export default definePlugin({
  name: "docker-containerizer",
  version: "1.0.0",
  description: "Runs containers of type DOCKER through a Docker engine",
  targets: ["agent"],
  provides: [Containerizer],
  requires: { containerLogger: ContainerLogger, sandboxFetch: SandboxFetch, metrics: Metrics },
  config,
  setup(ctx, { containerLogger, sandboxFetch, metrics }) {
    const { config } = ctx;
    const named = config.containerizers.split(",").map((name) => name.trim());
    if (!named.includes("docker")) ctx.skip("--containerizers does not name docker");
    const workDir = resolve(config.work_dir);
    const agent = createHash("sha256").update(workDir).digest("hex").slice(0, 16);
    const containerizer = new DockerContainerizer(
      {
        agent,
        workDir,
        recordsDirectory: join(config.runtime_dir, "docker", agent),
        containerLogger,
        sandboxFetch,
        registryConfig: config.docker_config,
        sandboxDirectory: config.sandbox_directory,
        cfs: config.cgroups_enable_cfs,
        dns: config.default_container_dns,
        removeDelay: config.docker_remove_delay,
        stopTimeout: config.docker_stop_timeout,
        killOrphans: config.docker_kill_orphans,
        imagePull: metrics.timer("containerizer/docker/image_pull"),
        clock: ctx.clock,
        logger: ctx.logger,
      },
      new Engine(config.docker_socket),
    );
    ctx.bind(Containerizer, containerizer);
    return {
      start: () =>
        containerizer.open().catch((error: unknown) => {
          throw new TepuiError("TEPUI_DOCKER_UNAVAILABLE", { detail: messageOf(error), cause: error });
        }),
      stop: () => containerizer.close(),
    };
  },
});
