import { ContainerLogger } from "../../sdk/contracts/container-logger.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { SandboxLogger } from "./sandbox-logger.js";

export default definePlugin({
  name: "sandbox-logger",
  version: "1.0.0",
  description: "Writes a container's output to stdout and stderr in its sandbox",
  targets: ["agent"],
  provides: [ContainerLogger],
  setup: (ctx) => ctx.bind(ContainerLogger, new SandboxLogger()),
});
