import { readFile, statfs } from "node:fs/promises";
import { resolve } from "node:path";
import { ContainerInfo } from "../../proto/gen/json/mesos/v1/mesos.js";
import type { ContainerInfo as ContainerInfoMessage } from "../../proto/gen/mesos/v1/mesos.js";
import { parseAttributes } from "../../sdk/attributes/index.js";
import { AgentContainers } from "../../sdk/contracts/agent-containers.js";
import { AgentView } from "../../sdk/contracts/agent-view.js";
import { Checker } from "../../sdk/contracts/checker.js";
import { Containerizer } from "../../sdk/contracts/containerizer.js";
import { Election } from "../../sdk/contracts/election.js";
import { ExecutorService } from "../../sdk/contracts/executor-service.js";
import { HttpServer } from "../../sdk/contracts/http-server.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { MessageTransport } from "../../sdk/contracts/message-transport.js";
import { Metrics } from "../../sdk/contracts/metrics.js";
import { QoSController } from "../../sdk/contracts/qos-controller.js";
import { ResourceDetector } from "../../sdk/contracts/resource-detector.js";
import { ResourceEstimator } from "../../sdk/contracts/resource-estimator.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import type { DirectoryLock } from "../../sdk/files/index.js";
import { definePlugin, durationText, faultDomain, z } from "../../sdk/plugin/index.js";
import { parseResources, type Result } from "../../sdk/resources/index.js";
import { Agent } from "./agent.js";
import { LateAgentContainers } from "./containers/late-agent-containers.js";
import { SavedContainers } from "./containers/saved-containers.js";
import { WorkerDisk } from "./disk/worker-disk.js";
import { findExecutorPrograms } from "./executors/executor-programs.js";
import { readTokenKey } from "./executors/executor-tokens.js";
import { LateExecutorService } from "./executors/late-executor-service.js";
import { hostInfo } from "./host-info.js";
import type { AgentOptions } from "./options.js";
import { AgentPaths } from "./paths.js";
import { RECONFIGURATION_POLICIES } from "./recovery/compatibility.js";
import { SavedStateReader } from "./recovery/read-saved-state.js";
import { chosenContainerizers } from "./tasks/chosen-containerizers.js";
import { LiveAgentView } from "./view.js";
import { checkWorkDirectory, lockMemory, makeWorkDirectory, memoryDirectory } from "./work-directory.js";

const flag = z.union([z.boolean(), z.stringbool()]);

/** A text that can only be interpreted once the host is known; its syntax is checked before anything starts. */
const readable = (read: (text: string) => Result<unknown>) =>
  z.string().check((check) => {
    const found = read(check.value);
    if (!found.ok) check.issues.push({ code: "custom", message: found.error, input: check.value });
  });

function containerInfo(value: Record<string, unknown>, check: z.core.$RefinementCtx): ContainerInfoMessage {
  try {
    return ContainerInfo.json.fromValue(value);
  } catch (error) {
    check.issues.push({ code: "custom", message: messageOf(error), input: value });
    return z.NEVER;
  }
}

const config = z.strictObject({
  work_dir: z.string().min(1),
  containerizers: z.string().default("mesos"),
  resources: readable((text) => parseResources(text)).optional(),
  attributes: readable(parseAttributes).optional(),
  default_role: z.string().default("*"),
  domain: faultDomain().optional(),
  hostname: z.string().optional(),
  switch_user: flag.default(true),
  registration_backoff_factor: durationText("1secs"),
  executor_registration_timeout: durationText("1mins"),
  executor_reregistration_timeout: durationText("2secs"),
  executor_reregistration_retry_interval: durationText("0ns"),
  jwt_secret_key: z.string().min(1).optional(),
  authenticate_http_executors: flag.default(false),
  executor_shutdown_grace_period: durationText("5secs"),
  launcher_dir: z.string().min(1).optional(),
  http_command_executor: flag.default(false),
  recover: z.enum(["reconnect", "cleanup"]).default("reconnect"),
  reconfiguration_policy: z.enum(RECONFIGURATION_POLICIES).default("equal"),
  strict: flag.default(true),
  recovery_timeout: durationText("15mins"),
  executor_environment_variables: z.record(z.string(), z.string()).default({}),
  max_completed_executors_per_framework: z.coerce.number().int().nonnegative().default(150),
  cgroups_enable_cfs: flag.default(false),
  default_container_info: z.record(z.string(), z.unknown()).transform(containerInfo).optional(),
  gc_delay: durationText("1weeks"),
  gc_disk_headroom: z.coerce.number().min(0).max(1).default(0.1),
  disk_watch_interval: durationText("1mins"),
  gc_non_executor_container_sandboxes: flag.default(false),
  oversubscribed_resources_interval: durationText("15secs"),
  qos_correction_interval_min: durationText("0ns"),
});

const optionsOf = (values: z.output<typeof config>): AgentOptions => ({
  workDir: resolve(values.work_dir),
  resources: values.resources,
  attributes: values.attributes,
  defaultRole: values.default_role,
  hostname: values.hostname,
  switchUser: values.switch_user,
  registrationBackoffFactor: values.registration_backoff_factor,
  domain: values.domain,
  executorRegistrationTimeout: values.executor_registration_timeout,
  executorReregistrationTimeout: values.executor_reregistration_timeout,
  executorReregistrationRetryInterval: values.executor_reregistration_retry_interval,
  authenticateExecutors: values.authenticate_http_executors,
  executorShutdownGracePeriod: values.executor_shutdown_grace_period,
  executorPrograms:
    values.launcher_dir === undefined ? undefined : findExecutorPrograms(resolve(values.launcher_dir)),
  httpCommandExecutor: values.http_command_executor,
  recover: values.recover,
  reconfigurationPolicy: values.reconfiguration_policy,
  strict: values.strict,
  recoveryTimeout: values.recovery_timeout,
  executorEnvironment: values.executor_environment_variables,
  maxCompletedExecutorsPerFramework: values.max_completed_executors_per_framework,
  cgroupsEnableCfs: values.cgroups_enable_cfs,
  defaultContainerInfo: values.default_container_info,
  gcDelay: values.gc_delay,
  gcDiskHeadroom: values.gc_disk_headroom,
  diskWatchInterval: values.disk_watch_interval,
  gcNonExecutorContainerSandboxes: values.gc_non_executor_container_sandboxes,
  oversubscribedResourcesInterval: values.oversubscribed_resources_interval,
  qosCorrectionInterval: values.qos_correction_interval_min,
});

/** Undefined: executors get no tokens. */
function tokenKey(values: z.output<typeof config>, logger: Logger): Uint8Array | undefined {
  const { jwt_secret_key: path, authenticate_http_executors: needed } = values;
  if (path !== undefined) return readTokenKey(path, logger);
  if (needed) throw new TepuiError("TEPUI_AGENT_TOKEN_KEY_UNUSABLE");
  return undefined;
}

/** As df(1) counts: relative to what an ordinary user may use. */
async function diskUsage(path: string): Promise<number> {
  const { blocks, bfree, bavail } = await statfs(path);
  const used = blocks - bfree;
  return used + bavail > 0 ? used / (used + bavail) : 0;
}

/** Different after each boot of the host; empty if the system does not provide one. */
async function bootId(): Promise<string> {
  try {
    return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  } catch {
    return "";
  }
}

export default definePlugin({
  name: "agent",
  version: "1.0.0",
  description: "Runs tasks for the master that leads",
  targets: ["agent"],
  provides: [ExecutorService, AgentView, AgentContainers],
  requires: {
    containerizers: Containerizer,
    checkers: Checker,
    detectors: ResourceDetector,
    election: Election,
    transport: MessageTransport,
    estimator: ResourceEstimator,
    qosController: QoSController,
    server: HttpServer,
    metrics: Metrics,
  },
  config,
  setup(ctx, deps) {
    const options = { ...optionsOf(ctx.config), tokenKey: tokenKey(ctx.config, ctx.logger) };
    // Before any part of the daemon starts, so that no port is opened and no container looked up in vain.
    checkWorkDirectory(options.workDir);
    const disk = new WorkerDisk({
      aside: new AgentPaths(options.workDir).removing(),
      anchor: memoryDirectory(options.workDir),
    });
    let agent: Agent | undefined;
    const running = (): Agent => {
      if (agent === undefined) throw new TepuiError("TEPUI_AGENT_RECOVERING");
      return agent;
    };
    ctx.bind(ExecutorService, new LateExecutorService(() => agent?.calls));
    ctx.bind(AgentView, new LiveAgentView(running, ctx.settings.flags));
    ctx.bind(
      AgentContainers,
      new LateAgentContainers(() => {
        const { state, containers } = running();
        if (state.phase === "recovering") throw new TepuiError("TEPUI_AGENT_RECOVERING");
        return containers;
      }),
    );
    /** What Mesos's agent does on this signal: it leaves the cluster, and everything that runs here ends. */
    const leave = (): void => agent?.unregister();
    let memory: DirectoryLock | undefined;
    return {
      async start() {
        await makeWorkDirectory(options.workDir);
        memory = await lockMemory(options.workDir);
        disk
          .resumeDiscards()
          .catch((error: unknown) => ctx.logger.warn({ err: error }, "an old directory cannot be removed"));
        const { address } = deps.server;
        const hostname = options.hostname ?? address.hostname;
        const info = await hostInfo({
          agent: options,
          detectors: deps.detectors,
          hostname,
          port: address.port,
        });
        agent = new Agent({
          ...deps,
          // Only now is it known which plugins apply to this host.
          containerizers: chosenContainerizers(ctx.config.containerizers, deps.containerizers),
          options,
          info,
          ip: address.ip,
          disk,
          diskUsage: () => diskUsage(options.workDir),
          clock: ctx.clock,
          random: ctx.random,
          logger: ctx.logger,
          // Ends the daemon the way an operator would, so that all plugins stop in order.
          finished: () => process.kill(process.pid, "SIGTERM"),
        });
        const boot = await bootId();
        const reader = new SavedStateReader(agent.paths, { now: ctx.clock.now(), strict: options.strict });
        const containers = await new SavedContainers(agent.paths.savedContainers()).read();
        for (const problem of containers.problems) ctx.logger.warn(problem);
        await agent.recover(await reader.read(boot), boot, containers.launches);
        if (options.recover === "cleanup") return agent.endEarlierRun();
        agent.start();
        process.on("SIGUSR1", leave);
      },
      async stop() {
        process.off("SIGUSR1", leave);
        await agent?.stop();
        await disk.stop();
        await memory?.release();
      },
    };
  },
});
