import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { ExecutorInfo, Offer, TaskInfo, TaskStatus } from "../../proto/gen/mesos/v1/mesos.js";
import {
  ExecutorInfo_Type,
  FrameworkInfo_Capability_Type,
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
 * First comes what is launched: one `command`, or the tasks of a `pod`, and their time `limit` in seconds. Lines with `>` are what is done
 * or waited for, in order; `agent dies` is only done where that is played. The rest is what each task went through, in its order: state, reason, message.
 */
export interface ExecutorScenario {
  readonly name: string;
  readonly pod: boolean;
  readonly tasks: readonly { readonly id: string; readonly command: string }[];
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
  return {
    name,
    pod: tasks[0]!.startsWith("pod "),
    tasks: tasks.map((line) => {
      const [, id = "", ...command] = line.split(" ");
      return { id, command: command.join(" ") };
    }),
    limit: limit === undefined ? undefined : Number(limit),
    steps: lines.filter((line) => line.startsWith("> ")).map((line) => line.slice(2).split(" ")),
    expected: lines.filter((line) => !/^(command|pod|limit|>) /.test(line)),
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
  /** Kills the agent and brings it back. */
  readonly agentDies: () => Promise<void>;
}

/** What the tasks went through, task by task. */
export async function playExecutors({
  scenario,
  master,
  executor,
  file,
  agentDies,
}: ExecutorPlay): Promise<string[]> {
  const player = new Player(master);
  await player.start();
  try {
    const offer = await player.offer();
    const commands = scenario.tasks.map(({ command }) => command.replaceAll("FILE", file));
    const own = executor(scenario, commands[0]!);
    await player.launch(offer, { scenario, commands, own });
    for (const [action = "", argument = ""] of scenario.steps) {
      if (action === "agent") await agentDies();
      else await player.play(action, { argument, file, offer });
    }
    return scenario.tasks.flatMap(({ id }) => player.of(id).map((line) => `${id} ${line}`));
  } finally {
    await player.stop();
  }
}

interface Launch {
  readonly scenario: ExecutorScenario;
  readonly commands: readonly string[];
  readonly own: string | undefined;
}

class Player {
  private readonly updates: TaskStatus[] = [];
  private readonly offers: Offer[] = [];
  private readonly client: SchedulerClient;
  private executorId = "";

  constructor(master: string) {
    this.client = new SchedulerClient({
      master,
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

  async launch(offer: Offer, { scenario, commands, own }: Launch): Promise<void> {
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
      ({ id }, index): PartialMessage<TaskInfo> => ({
        name: id,
        task_id: { value: id },
        resources: resourceList("cpus:0.1;mem:32"),
        ...(limit !== undefined && { max_completion_time: { nanoseconds: BigInt(limit * 1e9) } }),
        ...(pod || custom === undefined ? { command: { value: commands[index]! } } : { executor: custom }),
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
        return this.reaches(argument, TaskState.TASK_RUNNING);
      case "killing":
        return this.reaches(argument, TaskState.TASK_KILLING);
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

  private reaches(taskId: string, state: TaskState): Promise<void> {
    return until(() => {
      const states = this.states(taskId);
      if (!states.includes(state) && isTerminal(states.at(-1)))
        throw new Error(`${taskId} has ended: ${this.of(taskId).join(", ")}`);
      return states.includes(state);
    });
  }

  of(taskId: string): string[] {
    return this.updates
      .filter(({ task_id }) => task_id?.value === taskId)
      .map(({ state, reason, message }) =>
        [
          TaskState[state!],
          ...(reason === undefined ? [] : [TaskStatus_Reason[reason]]),
          ...(message === undefined || message === "" ? [] : [`"${message}"`]),
        ].join(" "),
      );
  }

  private states(taskId: string): (TaskState | undefined)[] {
    return this.updates.filter(({ task_id }) => task_id?.value === taskId).map(({ state }) => state);
  }
}
