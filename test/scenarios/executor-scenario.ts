import { existsSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { TaskInfo as TaskInfoJson } from "../../proto/gen/json/mesos/v1/mesos.js";
import type {
  CommandInfo,
  ExecutorInfo,
  Offer,
  TaskInfo,
  TaskStatus,
} from "../../proto/gen/mesos/v1/mesos.js";
import {
  ExecutorInfo_Type,
  FrameworkInfo_Capability_Type,
  HealthCheck_Type,
  TaskState,
  TaskStatus_Reason,
  TaskStatus_Source,
} from "../../proto/gen/mesos/v1/mesos.js";
import { type PartialMessage, resourceList, SchedulerClient } from "../../sdk/index.js";
import { isTerminal } from "../../sdk/task-states.js";
import { OfferRoom } from "../support/offer-room.js";
import { until } from "../support/until.js";

/**
 * Scenarios of executors as text, played with ours and with others:
 *
 *     command t exec sleep 1000
 *     > running t
 *     > kill t
 *     t TASK_STARTING
 *     t TASK_KILLED "Command terminated with signal Terminated"
 *
 * First comes what is launched: one `command`, or the tasks of a `pod`, their time `limit` in seconds, commands that check their `health`,
 * twice at most in vain, and `more` of each task as JSON. Lines with `>` are what is done or waited for, in order. `agent dies`, or `goes` and `comes`, with words that
 * say when, are only done where that is played. The rest is what each task went through, in its order: state, reason, health,
 * what a check found, message, and who says so where that is not its executor.
 */
export interface ExecutorScenario {
  readonly name: string;
  readonly pod: boolean;
  readonly tasks: readonly { readonly id: string; readonly command: string; readonly health?: string }[];
  /** Seconds. */
  readonly limit: number | undefined;
  /** The rest of each task, in Mesos's JSON. */
  readonly more: string;
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
    more: lines.find((line) => line.startsWith("more "))?.slice("more ".length) ?? "{}",
    steps: lines.filter((line) => line.startsWith("> ")).map((line) => line.slice(2).split(" ")),
    expected: lines.filter((line) => !/^(command|pod|limit|health|more|>) /.test(line)),
  };
}

/** Whose executor it is: given what is launched, the executor to launch it with; undefined: the agent's own. */
export type ExecutorChoice = (
  scenario: ExecutorScenario,
  command: PartialMessage<CommandInfo>,
) => string | undefined;

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
    const more = moreOf(scenario.more.replaceAll("FILE", file));
    const commands = scenario.tasks.map(({ command }) => ({
      value: command.replaceAll("FILE", file),
      ...more.command,
    }));
    const own = executor(scenario, commands[0]!);
    await player.launch(offer, { scenario, more, commands, file, own });
    await launched?.();
    for (const [action = "", argument = "", ...words] of scenario.steps) {
      if (action !== "agent") await player.play(action, { argument, found: words[0], file, offer });
      else {
        if (argument !== "comes") await agent?.goes(words.join(" "));
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
  readonly more: PartialMessage<TaskInfo>;
  readonly commands: readonly PartialMessage<CommandInfo>[];
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
    this.client.on("rescind", ({ offer_id }) => {
      const at = this.offers.findIndex(({ id }) => id?.value === offer_id.value);
      if (at !== -1) this.offers.splice(at, 1);
    });
  }

  start(): Promise<void> {
    return this.client.start();
  }

  stop(): Promise<void> {
    return this.client.teardown();
  }

  async offer(): Promise<Offer> {
    // One may be of the little that has just become free; it comes again with the rest.
    const wanted = resourceList("cpus:1;mem:256;disk:64");
    let found: Offer | undefined;
    await until(
      async () => {
        const offers = this.offers.splice(0);
        found = offers.find((offer) => new OfferRoom(offer).take(wanted));
        const others = offers.filter((offer) => offer !== found);
        if (others.length > 0) await this.client.decline(others, { refuse_seconds: 0 });
        return found !== undefined;
      },
      { what: "an offer with room for the tasks" },
    );
    return found!;
  }

  async launch(offer: Offer, { scenario, more, commands, file, own }: Launch): Promise<void> {
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
      ({ id, health }, index): PartialMessage<TaskInfo> => ({
        ...more,
        name: id,
        task_id: { value: id },
        resources: resourceList("cpus:0.1;mem:32"),
        ...(limit !== undefined && { max_completion_time: { nanoseconds: BigInt(limit * 1e9) } }),
        ...(health !== undefined && { health_check: healthCheck(health.replaceAll("FILE", file)) }),
        command: pod || custom === undefined ? commands[index] : undefined,
        executor: pod ? undefined : custom,
      }),
    );
    this.executorId = custom === undefined ? tasks[0]!.id : "e";
    if (pod) await this.client.launchGroup(offer, { executor: custom!, taskGroup: { tasks: infos } });
    else await this.client.launch(offer, infos);
  }

  async play(
    action: string,
    {
      argument,
      found,
      file,
      offer,
    }: { argument: string; found: string | undefined; file: string; offer: Offer },
  ): Promise<void> {
    switch (action) {
      case "running":
        return this.sees(argument, ({ state }) => state === TaskState.TASK_RUNNING);
      case "killing":
        return this.sees(argument, ({ state }) => state === TaskState.TASK_KILLING);
      case "healthy":
      case "unhealthy":
        return this.sees(argument, ({ healthy }) => healthy === (action === "healthy"));
      case "checked":
        return this.sees(argument, ({ check_status }) => check_status?.command?.exit_code === Number(found));
      case "exists":
        return until(() => existsSync(`${file}${argument}`));
      case "hold":
        this.held.add(argument);
        return;
      case "acknowledge":
        this.held.delete(argument);
        return this.client.acknowledge(this.updates.findLast((one) => isOf(argument, one))!);
      case "ended":
        return until(() => isTerminal(this.states(argument).at(-1)), {
          what: `'${argument}' to end`,
          seen: () => this.of(argument).join(", ") || "no status",
        });
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
    const history = () => this.of(taskId).join(", ");
    return until(
      () => {
        const told = this.updates.filter((one) => isOf(taskId, one));
        if (told.some(wanted)) return true;
        if (isTerminal(told.at(-1)?.state)) throw new Error(`'${taskId}' has ended: ${history()}`);
        return false;
      },
      { what: `'${taskId}': ${wanted}`, seen: () => history() || "no status" },
    );
  }

  of(taskId: string): string[] {
    return this.updates
      .filter((one) => isOf(taskId, one))
      .map(({ state, reason, healthy, check_status: found, message, source }) =>
        [
          TaskState[state!],
          ...(reason === undefined ? [] : [TaskStatus_Reason[reason]]),
          ...(healthy === undefined ? [] : [healthy ? "healthy" : "unhealthy"]),
          ...(found === undefined ? [] : [`checked=${found.command?.exit_code ?? ""}`]),
          ...(message === undefined || message === "" ? [] : [`"${message}"`]),
          ...(source === TaskStatus_Source.SOURCE_EXECUTOR ? [] : [TaskStatus_Source[source!]]),
        ].join(" "),
      );
  }

  private states(taskId: string): (TaskState | undefined)[] {
    return this.updates.filter((one) => isOf(taskId, one)).map(({ state }) => state);
  }
}

/** The rest of a task. Its command stays as it is written: executors of Mesos get that as JSON, too. */
function moreOf(json: string): PartialMessage<TaskInfo> {
  const { command, ...rest } = JSON.parse(json) as PartialMessage<TaskInfo>;
  const required = { name: "", task_id: { value: "" }, agent_id: { value: "" } };
  const { agent_id: _, ...read } = TaskInfoJson.json.read(JSON.stringify({ ...required, ...rest }));
  return { ...read, ...(command !== undefined && { command }) };
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
