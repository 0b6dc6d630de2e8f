import { ContainerLogger } from "../../sdk/contracts/container-logger.js";
import { definePlugin, z } from "../../sdk/plugin/index.js";
import { LogrotateLogger } from "./logrotate-logger.js";
import { ofModule, parameterFields } from "./module-parameters.js";

const config = z.strictObject({ ...parameterFields, modules: ofModule.optional() });

export default definePlugin({
  name: "logrotate-logger",
  version: "1.0.0",
  description: "Keeps a container's output in its sandbox within a size",
  targets: ["agent"],
  provides: [ContainerLogger],
  config,
  setup(ctx) {
    const { modules, ...own } = ctx.config;
    const { environment_variable_prefix: prefix, logrotate_path: path, ...general } = { ...modules, ...own };
    const logger = new LogrotateLogger({
      general,
      environmentVariablePrefix: prefix ?? "CONTAINER_LOGGER_",
      logrotate: path ?? "logrotate",
    });
    ctx.bind(ContainerLogger, logger);
    return { start: () => logger.start() };
  },
});
