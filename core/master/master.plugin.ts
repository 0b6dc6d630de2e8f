import { Allocator } from "../../sdk/contracts/allocator.js";
import { Election } from "../../sdk/contracts/election.js";
import { HttpServer } from "../../sdk/contracts/http-server.js";
import { MasterView } from "../../sdk/contracts/master-view.js";
import { MessageTransport } from "../../sdk/contracts/message-transport.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { OperatorService } from "../../sdk/contracts/operator-service.js";
import { Registry } from "../../sdk/contracts/registry.js";
import { SchedulerService } from "../../sdk/contracts/scheduler-service.js";
import { Settings } from "../../sdk/contracts/settings.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { masterConfig, optionsOf } from "./config.js";
import { Master } from "./master.js";
import { masterInfo } from "./master-info.js";

export default definePlugin({
  name: "master",
  version: "1.0.0",
  description: "Frameworks, agents, offers and tasks of the cluster that this master leads",
  targets: ["master"],
  provides: [SchedulerService, OperatorService, MasterView],
  requires: {
    allocator: Allocator,
    registry: Registry,
    election: Election,
    transport: MessageTransport,
    server: HttpServer,
    // The master's metrics have Mesos's names, without the plugin's prefix.
    metrics: Metrics,
    settings: Settings,
  },
  config: masterConfig,
  setup(ctx, { server, settings, ...deps }) {
    const { clock, random, logger, config } = ctx;
    const options = optionsOf(config);
    const master = new Master({
      ...deps,
      clock,
      random,
      logger,
      options,
      clusterName: config.cluster,
      flags: settings.flags,
      // Ends the daemon the way an operator would; the exit code tells its supervisor to restart it.
      failed: () => {
        process.exitCode = 1;
        process.kill(process.pid, "SIGTERM");
      },
    });
    ctx.bind(SchedulerService, master);
    ctx.bind(OperatorService, master);
    ctx.bind(MasterView, master.view);
    return {
      start: () => {
        const { ip, port, hostname } = server.address;
        const { domain } = config;
        master.start(masterInfo({ ip, port, hostname: config.hostname ?? hostname, domain }));
      },
      stop: () => master.stop(),
    };
  },
});
