import { randomBytes } from "node:crypto";
import { userInfo } from "node:os";
import {
  FrameworkInfo_Capability_Type as Capability,
  type FrameworkInfo_Capability,
  type Offer,
  TaskState,
  type TaskStatus,
} from "../../proto/gen/mesos/v1/mesos.js";
import { isTepuiError, messageOf } from "../../sdk/errors/index.js";
import { SchedulerClient, type SchedulerClientOptions } from "../../sdk/scheduler/index.js";
import { type ExecuteFlags, type ExecuteStyle, executeUsage, parseExecuteFlags } from "./execute-flags.js";
import { OutputFollower, sandboxPath } from "./execute-output.js";
import { MesosReport, type Streams, TerminalReport } from "./execute-report.js";
import { WorkloadRun } from "./execute-run.js";
import { type Workload, workloadOf } from "./execute-task.js";

/** Milliseconds to find the leader at the start. After that, a lost master has this long to be succeeded by another. */
const CONNECT_PATIENCE_MS = 10_000;
const RECONNECT_PATIENCE_MS = 120_000;

export interface ExecuteContext extends Streams {
  /** Aborted by Ctrl-C: the task is killed and its end awaited. */
  readonly signal: AbortSignal;
  readonly style: ExecuteStyle;
  /** Variables that stand in for flags. Default: those of the process. */
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * `tepui execute` and `mesos-execute`: subscribes, runs one task or group, and shows what happens to it. The exit code is 0 if every task
 * finished, otherwise 1.
 */
export async function runExecute(argv: readonly string[], context: ExecuteContext): Promise<number> {
  const { stderr, stdout, style } = context;
  const program = style === "tepui" ? "tepui execute" : "mesos-execute";
  const fail = (problems: readonly string[]): number => {
    for (const problem of problems) stderr.write(`${program}: ${problem}\n`);
    return 1;
  };
  const parsed = parseExecuteFlags(argv, style);
  if (Array.isArray(parsed)) return fail(parsed);
  const flags = withDefaults(parsed as ExecuteFlags, context);
  if (flags.on("help")) {
    stdout.write(executeUsage(style));
    return 0;
  }
  const problems = flagProblems(flags);
  if (problems.length > 0) return fail([...problems, `see '${program} --help'`]);
  try {
    const workload = workloadOf(flags);
    return (await execute({ flags, workload, context })) ? 0 : 1;
  } catch (error) {
    return fail([oneLine(error)]);
  }
}

async function execute({
  flags,
  workload,
  context,
}: {
  flags: ExecuteFlags;
  workload: Workload;
  context: ExecuteContext;
}): Promise<boolean> {
  const { signal, style } = context;
  const report =
    style === "mesos" ? new MesosReport(context, workload.group !== undefined) : new TerminalReport(context);
  const outputs = new Map<string, OutputFollower>();
  const client = new SchedulerClient(clientOptions(flags));
  const observe = (status: TaskStatus, offer: Offer): void => {
    const taskId = status.task_id?.value ?? "";
    if (
      style === "mesos" ||
      !flags.on("output") ||
      outputs.has(taskId) ||
      status.state !== TaskState.TASK_RUNNING
    )
      return;
    const directory = sandboxPath({
      frameworkId: client.frameworkId ?? "",
      executorId: workload.group?.executor.executor_id?.value ?? executorOf(workload, taskId),
      nestedTaskId: workload.group === undefined ? undefined : taskId,
    });
    outputs.set(taskId, new OutputFollower({ agent: agentUrl(offer), directory }, context));
  };
  const run = new WorkloadRun({
    client,
    workload,
    role: flags.text("role")!,
    killAfter: flags.duration("kill_after"),
    report,
    signal,
    observe,
  });
  try {
    return await run.run();
  } finally {
    await Promise.all([...outputs.values()].map((output) => output.drain()));
  }
}

/** The executor of a command task has the task's id. */
function executorOf(workload: Workload, taskId: string): string {
  const task = workload.tasks.find((candidate) => candidate.task_id?.value === taskId);
  return task?.executor?.executor_id?.value ?? taskId;
}

function agentUrl({ url, hostname }: Offer): string {
  const { hostname: name, ip, port } = url?.address ?? {};
  return `${url?.scheme ?? "http"}://${ip ?? name ?? hostname}:${port ?? 5051}`;
}

/**
 * `tepui execute` requires less than Mesos's tool: by default it uses a local master and a generated name, and a command line may follow
 * `--`.
 */
function withDefaults(
  flags: ExecuteFlags,
  { style, environment = process.env }: ExecuteContext,
): ExecuteFlags {
  if (style === "mesos") return { ...flags, rest: [] };
  const wholeTask = flags.given("task") || flags.given("task_group");
  const defaults: Partial<Record<string, string>> = {
    master: environment.TEPUI_MASTER ?? environment.MESOS_MASTER ?? "127.0.0.1:5050",
    ...(wholeTask ? {} : { name: `execute-${randomBytes(4).toString("hex")}` }),
  };
  return { ...flags, text: (name) => flags.text(name) ?? defaults[name] };
}

/** What Mesos's tool refuses, in its words. */
function flagProblems(flags: ExecuteFlags): string[] {
  const problems: string[] = [];
  if (flags.text("master") === undefined) problems.push("Missing required option --master");
  if (flags.given("task") && flags.given("task_group")) {
    problems.push(
      "Either task or task group should be set but not both. Provide either '--task' OR '--task_group'",
    );
  } else if (flags.given("task") || flags.given("task_group")) {
    const excluded = ["name", "command", "env", "appc_image", "docker_image", "volumes"] as const;
    if (excluded.some((name) => flags.given(name)) || flags.rest.length > 0)
      problems.push(
        "'--name, --command, --env, --appc_image, --docker_image, --volumes' can only be set when both '--task' and '--task_group' are not set",
      );
    if (flags.given("task") && flags.given("networks"))
      problems.push("'--networks' can only be set when '--task' is not set");
  } else {
    if (flags.text("name") === undefined) problems.push("Missing required option --name");
    if (flags.rest.length > 0 && flags.given("command"))
      problems.push("give either --command or a command line after --");
    else if (flags.on("shell") && !flags.given("command") && flags.rest.length === 0)
      problems.push("Missing required option --command");
  }
  if (flags.given("appc_image") && flags.given("docker_image"))
    problems.push("Flags '--docker-image' and '--appc-image' are both set");
  if (contentType(flags) === undefined) problems.push(`Invalid content type '${flags.text("content_type")}'`);
  if (!["http", "grpc"].includes(flags.text("transport")!))
    problems.push("--transport: expected http or grpc");
  if (flags.given("secret") && !flags.given("principal")) problems.push("--secret needs --principal");
  for (const capability of furtherCapabilities(flags)) {
    if (!Object.hasOwn(Capability, capability))
      problems.push(`Flags '--framework_capabilities' specifies an unknown capability '${capability}'`);
    else if (capability !== "GPU_RESOURCES")
      problems.push(`Flags '--framework_capabilities' specifies an unsupported capability '${capability}'`);
  }
  return problems;
}

function clientOptions(flags: ExecuteFlags): SchedulerClientOptions {
  const principal = flags.text("principal");
  const secret = flags.text("secret");
  return {
    master: flags.text("master")!,
    transport: flags.text("transport") as "http" | "grpc",
    contentType: contentType(flags)!,
    acknowledgements: "manual",
    patience: { connect: CONNECT_PATIENCE_MS, reconnect: RECONNECT_PATIENCE_MS },
    ...(principal !== undefined && secret !== undefined && { credential: { principal, secret } }),
    framework: {
      user: userInfo().username,
      name: "mesos-execute instance",
      role: flags.text("role")!,
      checkpoint: flags.on("checkpoint"),
      capabilities: capabilities(flags),
      ...(principal !== undefined && { principal }),
    },
  };
}

function capabilities(flags: ExecuteFlags): FrameworkInfo_Capability[] {
  const types = [
    Capability.RESERVATION_REFINEMENT,
    Capability.TASK_KILLING_STATE,
    Capability.REVOCABLE_RESOURCES,
  ];
  if (flags.on("partition_aware")) types.push(Capability.PARTITION_AWARE);
  for (const name of furtherCapabilities(flags)) types.push(Capability[name as keyof typeof Capability]);
  return types.map((type) => ({ type }));
}

function furtherCapabilities(flags: ExecuteFlags): string[] {
  return (flags.text("framework_capabilities") ?? "").split(",").filter((name) => name !== "");
}

function contentType(flags: ExecuteFlags): "json" | "protobuf" | undefined {
  const text = flags.text("content_type")!;
  if (text === "json" || text === "application/json") return "json";
  return text === "protobuf" || text === "application/x-protobuf" ? "protobuf" : undefined;
}

function oneLine(error: unknown): string {
  return (isTepuiError(error) ? messageOf(error) : error instanceof Error ? error.message : String(error))
    .replaceAll(/\s*\n\s*/g, " ")
    .trim();
}
