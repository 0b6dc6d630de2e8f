import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { Isolator } from "../../sdk/contracts/isolator.js";
import { messageOf } from "../../sdk/errors/index.js";
import { definePlugin, durationText, z } from "../../sdk/plugin/index.js";
import { isolatedPorts } from "./isolated-ports.js";
import { PortsIsolator } from "./ports-isolator.js";
import { RootRecords } from "./root-records.js";

const config = z
  .strictObject({
    isolation: z.string().default("posix/cpu,posix/mem"),
    work_dir: z.string().min(1),
    runtime_dir: z.string().default("/var/run/mesos"),
    resources: z.string().optional(),
    default_role: z.string().default("*"),
    container_ports_watch_interval: durationText("30secs"),
    enforce_container_ports: z.boolean().default(false),
    check_agent_port_range_only: z.boolean().default(false),
    container_ports_isolated_range: z.string().optional(),
  })
  .superRefine((flags, check) => {
    try {
      isolatedPorts(flags);
    } catch (error) {
      check.addIssue({ code: "custom", message: messageOf(error) });
    }
  });

export default definePlugin({
  name: "ports-isolator",
  version: "1.0.0",
  description: "network/ports: containers in the host's network listen on their own ports only",
  targets: ["agent"],
  provides: [Isolator],
  config,
  setup(ctx) {
    const named = ctx.config.isolation.split(",").map((name) => name.trim());
    if (!named.includes("network/ports")) ctx.skip("isolation does not name network/ports");
    const { work_dir, runtime_dir } = ctx.config;
    // Apart for each agent of the host.
    const agent = createHash("sha256").update(resolve(work_dir)).digest("hex").slice(0, 16);
    const isolator = new PortsIsolator({
      records: new RootRecords(resolve(runtime_dir, "isolators/network/ports", agent)),
      interval: ctx.config.container_ports_watch_interval,
      enforce: ctx.config.enforce_container_ports,
      isolated: isolatedPorts(ctx.config),
      clock: ctx.clock,
      logger: ctx.logger,
    });
    ctx.bind(Isolator, isolator);
    return { start: () => isolator.start(), stop: () => isolator.stop() };
  },
});
