import { join } from "node:path";
import { Fetcher } from "../../sdk/contracts/fetcher.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { SandboxFetch } from "../../sdk/contracts/sandbox-fetch.js";
import { definePlugin, durationText, z } from "../../sdk/plugin/index.js";
import { UriFetch } from "./uri-fetch.js";

const config = z.strictObject({
  runtime_dir: z.string().default("/var/run/mesos"),
  frameworks_home: z.string().default(""),
  fetcher_stall_timeout: durationText("1mins"),
});

export default definePlugin({
  name: "sandbox-fetch",
  version: "1.0.0",
  description: "Puts what a command's URIs name into its sandbox",
  targets: ["agent"],
  provides: [SandboxFetch],
  requires: { fetchers: Fetcher, metrics: Metrics },
  config,
  setup(ctx, { fetchers, metrics }) {
    const fetch = new UriFetch({
      fetchers,
      frameworksHome: ctx.config.frameworks_home,
      stallTimeout: ctx.config.fetcher_stall_timeout,
      stagingDirectory: join(ctx.config.runtime_dir, "fetch"),
      succeeded: metrics.counter("containerizer/fetcher/task_fetches_succeeded"),
      failed: metrics.counter("containerizer/fetcher/task_fetches_failed"),
    });
    ctx.bind(SandboxFetch, fetch);
  },
});
