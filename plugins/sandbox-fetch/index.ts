import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Fetcher } from "../../sdk/contracts/fetcher.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { SandboxFetch } from "../../sdk/contracts/sandbox-fetch.js";
import { bytesText, definePlugin, durationText, z } from "../../sdk/plugin/index.js";
import { FetchCache } from "./fetch-cache.js";
import { UriFetch } from "./uri-fetch.js";

const config = z.strictObject({
  work_dir: z.string().min(1),
  frameworks_home: z.string().default(""),
  fetcher_stall_timeout: durationText("1mins"),
  fetcher_cache_size: bytesText("2GB"),
  fetcher_cache_dir: z
    .string()
    .min(1)
    .default(join(tmpdir(), "mesos", "fetch")),
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
    const workDir = resolve(ctx.config.work_dir);
    const cache = new FetchCache({
      // Agents of one host have the same default.
      directory: join(
        resolve(ctx.config.fetcher_cache_dir),
        createHash("sha256").update(workDir).digest("hex").slice(0, 16),
      ),
      capacity: ctx.config.fetcher_cache_size,
      logger: ctx.logger,
    });
    metrics.gauge("containerizer/fetcher/cache_size_total_bytes", () => cache.capacity);
    metrics.gauge("containerizer/fetcher/cache_size_used_bytes", () => cache.usedBytes);
    const fetch = new UriFetch({
      fetchers,
      cache,
      frameworksHome: ctx.config.frameworks_home,
      stallTimeout: ctx.config.fetcher_stall_timeout,
      stagingDirectory: join(workDir, "fetching"),
      succeeded: metrics.counter("containerizer/fetcher/task_fetches_succeeded"),
      failed: metrics.counter("containerizer/fetcher/task_fetches_failed"),
    });
    ctx.bind(SandboxFetch, fetch);
    return { start: () => fetch.start() };
  },
});
