import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { ExecutorInfo, Offer, TaskInfo, TaskStatus } from "../../proto/gen/mesos/v1/mesos.js";
import {
  ExecutorInfo_Type,
  FrameworkInfo_Capability_Type,
  HealthCheck_Type,
  TaskState,
  TaskStatus_Reason,
} from "../../proto/gen/mesos/v1/mesos.js";
import { type PartialMessage, resourceList, SchedulerClient } from "../../sdk/index.js";
import { isTerminal } from "../../sdk/task-states.js";
import { until } from "../support/cluster.js";

/**
 * Scenarios of executors as text, played with ours and with others:
 *
 *     command t exec sleep 1000
 *     > running t
 *     > kill t
 *     t TASK_STARTING
 *     t TASK_KILLED "Command terminated with signal Terminated"
 *
 * First comes what is launched: one `command`, or the tasks of a `pod`, their time `limit` in seconds, and commands that check their `health`,
 * twice at most in vain. Lines with `>` are what is done or waited for, in order. `agent dies`, or `goes` and `comes`, with words that
 * say when, are only done where that is played. The rest is what each task went through, in its order: state, reason, health, message.
 */
export interface ExecutorScenario {
  readonly name: string;
  readonly pod: boolean;
  readonly tasks: readonly { readonly id: string; readonly command: string; readonly health?: string }[];
  /** Seconds. */
  readonly limit: number | undefined;
  readonly steps: readonly (readonly string[])[];
  readonly expected: readonly string[];
}

const folder = new URL("../../../test/scenarios/executors/", import.meta.url);

export function executorScenarios(): ExecutorScenario[] {
  return readdirSync(folder)
    .sort()
    .map((file) => parse(file.replace(/\.txt$/, ""), readFileSync(new URL(file, folder), "utf8")));
}

function parse(name: string, text: string): ExecutorScenario {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const tasks = lines.filter((line) => /^(command|pod) /.test(line));
  const limit = lines.find((line) => line.startsWith("limit "))?.split(" ")[1];
  const health = (id: string): string | undefined =>
    lines.find((line) => line.startsWith(`health ${id} `))?.slice(`health ${id} `.length);
  return {
    name,
    pod: tasks[0]!.startsWith("pod "),
    tasks: tasks.map((line) => {
      const [, id = "", ...command] = line.split(" ");
      const checked = health(id);
      return { id, command: command.join(" "), ...(checked !== undefined && { health: checked }) };
    }),
    limit: limit === undefined ? undefined : Number(limit),
    steps: lines.filter((line) => line.startsWith("> ")).map((line) => line.slice(2).split(" ")),
    expected: lines.filter((line) => !/^(command|pod|limit|health|>) /.test(line)),
  };
}

/** Whose executor it is: given what is launched, the executor to launch it with; undefined: the agent's own. */
export type ExecutorChoice = (scenario: ExecutorScenario, command: string) => string | undefined;

export interface ExecutorPlay {
  readonly scenario: ExecutorScenario;
  readonly master: string;
  readonly executor: ExecutorChoice;
  /** A path that is not there, for `touch`. */
  readonly file: string;
  readonly agent?: Mortal;
  /** Called when the tasks are on their way. */
  readonly launched?: () => Promise<void>;
  /** Called when all is over, and acknowledged, while the framework is still there. */
  readonly over?: () => Promise<void>;
}

/** An agent whose deaths are played. */
export interface Mortal {
  /** @param moment in the words of the scenario; it need not die in every one */
  goes(moment: string): Promise<void>;
  /** Comes back, if it went. */
  comes(): Promise<void>;
}

/** What the tasks went through, task by task. */
export async function playExecutors({
  scenario,
  master,
  executor,
  file,
  agent,
  launched,
  over,
}: ExecutorPlay): Promise<string[]> {
  const player = new Player(master);
  await player.start();
  try {
    const offer = await player.offer();
    const own = executor(scenario, scenario.tasks[0]!.command.replaceAll("FILE", file));
    await player.launch(offer, { scenario, file, own });
    await launched?.();
    for (const [action = "", argument = "", ...more] of scenario.steps) {
      if (action !== "agent") await player.play(action, { argument, file, offer });
      else {
        if (argument !== "comes") await agent?.goes(more.join(" "));
        if (argument !== "goes") await agent?.comes();
      }
    }
    await over?.();
    return scenario.tasks.flatMap(({ id }) => player.of(id).map((line) => `${id} ${line}`));
  } finally {
    await player.stop();
  }
}

interface Launch {
  readonly scenario: ExecutorScenario;
  readonly file: string;
  readonly own: string | undefined;
}

class Player {
  private readonly updates: TaskStatus[] = [];
  /** Tasks whose end is not acknowledged. */
  private readonly held = new Set<string>();
  private readonly offers: Offer[] = [];
  private readonly client: SchedulerClient;
  private executorId = "";

  constructor(master: string) {
    this.client = new SchedulerClient({
      master,
      acknowledgements: "manual",
      framework: {
        name: "executors",
        checkpoint: true,
        failover_timeout: 60,
        capabilities: [
          { type: FrameworkInfo_Capability_Type.TASK_KILLING_STATE },
          { type: FrameworkInfo_Capability_Type.PARTITION_AWARE },
        ],
      },
    });
    this.client.on("update", ({ status }) => {
      const uuid = status.uuid?.toString("hex");
      if (!this.updates.some((known) => known.uuid?.toString("hex") === uuid)) this.updates.push(status);
      if (isTerminal(status.state) && this.held.has(status.task_id!.value!)) return;
      // While a master does not know the agent, it comes again.
      void this.client.acknowledge(status).catch(() => undefined);
    });
    this.client.on("offers", ({ offers }) => void this.offers.push(...offers));
  }

  start(): Promise<void> {
    return this.client.start();
  }

  stop(): Promise<void> {
    return this.client.teardown();
  }

  async offer(): Promise<Offer> {
    await until(() => this.offers.length > 0);
    return this.offers.shift()!;
  }

  async launch(offer: Offer, { scenario, file, own }: Launch): Promise<void> {
    const { pod, tasks, limit } = scenario;
    const custom: PartialMessage<ExecutorInfo> | undefined =
      own === undefined && !pod
        ? undefined
        : {
            executor_id: { value: "e" },
            framework_id: offer.framework_id,
            resources: resourceList("cpus:0.1;mem:64;disk:64"),
            ...(own === undefined
              ? { type: ExecutorInfo_Type.DEFAULT }
              : { type: ExecutorInfo_Type.CUSTOM, command: { value: own } }),
          };
    const infos = tasks.map(
      ({ id, command, health }): PartialMessage<TaskInfo> => ({
        name: id,
        task_id: { value: id },
        resources: resourceList("cpus:0.1;mem:32"),
        ...(limit !== undefined && { max_completion_time: { nanoseconds: BigInt(limit * 1e9) } }),
        ...(health !== undefined && { health_check: healthCheck(health.replaceAll("FILE", file)) }),
        ...(pod || custom === undefined
          ? { command: { value: command.replaceAll("FILE", file) } }
          : { executor: custom }),
      }),
    );
    this.executorId = custom === undefined ? tasks[0]!.id : "e";
    if (pod) await this.client.launchGroup(offer, { executor: custom!, taskGroup: { tasks: infos } });
    else await this.client.launch(offer, infos);
  }

  async play(
    action: string,
    { argument, file, offer }: { argument: string; file: string; offer: Offer },
  ): Promise<void> {
    switch (action) {
      case "running":
        return this.sees(argument, ({ state }) => state === TaskState.TASK_RUNNING);
      case "killing":
        return this.sees(argument, ({ state }) => state === TaskState.TASK_KILLING);
      case "healthy":
      case "unhealthy":
        return this.sees(argument, ({ healthy }) => healthy === (action === "healthy"));
      case "hold":
        this.held.add(argument);
        return;
      case "acknowledge":
        this.held.delete(argument);
        return this.client.acknowledge(this.updates.findLast((one) => isOf(argument, one))!);
      case "ended":
        return until(() => isTerminal(this.states(argument).at(-1)));
      case "kill":
        return this.client.kill(argument, { agentId: offer.agent_id!.value! });
      case "shutdown":
        return this.client.shutdown({ agentId: offer.agent_id!.value!, executorId: this.executorId });
      case "touch":
        return writeFile(`${file}${argument}`, "");
      default:
        throw new Error(`unknown step '${action}'`);
    }
  }

  /** Rejects where the task ends without. */
  private sees(taskId: string, wanted: (status: TaskStatus) => boolean): Promise<void> {
    return until(() => {
      const told = this.updates.filter((one) => isOf(taskId, one));
      if (told.some(wanted)) return true;
      if (isTerminal(told.at(-1)?.state))
        throw new Error(`${taskId} has ended: ${this.of(taskId).join(", ")}`);
      return false;
    });
  }

  of(taskId: string): string[] {
    return this.updates
      .filter((one) => isOf(taskId, one))
      .map(({ state, reason, healthy, message }) =>
        [
          TaskState[state!],
          ...(reason === undefined ? [] : [TaskStatus_Reason[reason]]),
          ...(healthy === undefined ? [] : [healthy ? "healthy" : "unhealthy"]),
          ...(message === undefined || message === "" ? [] : [`"${message}"`]),
        ].join(" "),
      );
  }

  private states(taskId: string): (TaskState | undefined)[] {
    return this.updates.filter((one) => isOf(taskId, one)).map(({ state }) => state);
  }
}

const isOf = (taskId: string, { task_id }: TaskStatus): boolean => task_id?.value === taskId;

const healthCheck = (command: string): PartialMessage<TaskInfo>["health_check"] => ({
  type: HealthCheck_Type.COMMAND,
  command: { value: command },
  delay_seconds: 0,
  interval_seconds: 0.2,
  grace_period_seconds: 0,
  consecutive_failures: 2,
});
