import { Isolator } from "../../sdk/contracts/isolator.js";
import { isolationNames } from "../../sdk/isolation/index.js";
import { definePlugin, z } from "../../sdk/plugin/index.js";
import { DockerRuntime } from "./docker-runtime.js";

const NAME = "docker/runtime";

export default definePlugin({
  name: "docker-runtime",
  version: "1.0.0",
  description: "docker/runtime: environment, directory and command of containers from their Docker images",
  targets: ["agent"],
  provides: [Isolator],
  config: z.strictObject({
    isolation: z.string().default("posix/cpu,posix/mem"),
    docker_ignore_runtime: z.boolean().default(false),
  }),
  setup(ctx) {
    const { isolation, docker_ignore_runtime: ignored } = ctx.config;
    if (!isolationNames(isolation).has(NAME)) ctx.skip(`isolation does not name ${NAME}`);
    // Named and without effect, so that the name is known.
    ctx.bind(Isolator, ignored ? { name: NAME } : new DockerRuntime(ctx.logger));
  },
});
