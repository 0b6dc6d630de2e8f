import * as codecs from "../../../proto/gen/json/mesos/v1/master/master.js";
import { Call_Type, type Response } from "../../../proto/gen/mesos/v1/master/master.js";
import { type ContainerID, type Task, TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import { addressText, type DaemonAddress, parseAddresses, reasonOf } from "../../../sdk/client/index.js";
import { MEDIA_TYPES } from "../../../sdk/http/index.js";
import { isTerminal } from "../../../sdk/task-states.js";

export interface TaskChoice {
  /** Id, or the beginning of one. */
  readonly task: string;
  /** Where frameworks have tasks of the same id. */
  readonly framework?: string | undefined;
  /** `host:port`, or several with commas. */
  readonly master: string;
}

/** A task, and where it runs. */
export interface FoundTask {
  readonly task: Task;
  /** Of its agent, `http://host:port`; undefined when the agent is not registered any more. */
  readonly agent: string | undefined;
  /** Of its container; undefined before there is one. */
  readonly containerId: ContainerID | undefined;
}

/** Milliseconds for one master to answer. */
const PATIENCE_MS = 10_000;
const DEFAULT_PORT = 5050;

/** Throws with a text for the user where there is no such task, or more than one. */
export async function findTask(choice: TaskChoice): Promise<FoundTask> {
  const [tasks, agents] = await Promise.all([
    ask(choice.master, Call_Type.GET_TASKS),
    ask(choice.master, Call_Type.GET_AGENTS),
  ]);
  const { get_tasks: all } = tasks;
  const known = [
    ...(all?.pending_tasks ?? []),
    ...(all?.tasks ?? []),
    ...(all?.unreachable_tasks ?? []),
    ...(all?.orphan_tasks ?? []),
    ...(all?.completed_tasks ?? []),
  ];
  const task = chosen(known, choice);
  const agent = agents.get_agents?.agents.find(
    ({ agent_info: info }) => info?.id?.value === task.agent_id?.value,
  );
  const place = /@(.+)$/.exec(agent?.pid ?? "")?.[1];
  return { task, agent: place && `http://${place}`, containerId: containerOf(task) };
}

/** Throws unless the task runs in a container that can be reached. */
export function running({ task, agent, containerId }: FoundTask): {
  agent: string;
  containerId: ContainerID;
} {
  const id = task.task_id?.value;
  const state = TaskState[task.state ?? TaskState.TASK_STAGING];
  if (isTerminal(task.state ?? TaskState.TASK_STAGING))
    throw new Error(`the task '${id}' has ended (${state})`);
  if (agent === undefined) throw new Error(`the agent of the task '${id}' is not there (${state})`);
  if (containerId === undefined) throw new Error(`the task '${id}' has no container yet (${state})`);
  return { agent, containerId };
}

function chosen(tasks: readonly Task[], { task: name, framework }: TaskChoice): Task {
  const within = tasks.filter((task) => framework === undefined || task.framework_id?.value === framework);
  const exact = within.filter((task) => task.task_id?.value === name);
  const found = exact.length > 0 ? exact : within.filter((task) => task.task_id?.value?.startsWith(name));
  const live = found.filter((task) => !isTerminal(task.state ?? TaskState.TASK_STAGING));
  const [first, ...others] = live.length > 0 ? live : found;
  if (first === undefined) throw new Error(`there is no task '${name}'`);
  if (others.length === 0) return first;
  const list = [first, ...others].map(
    (task) => `  ${task.task_id?.value} of framework ${task.framework_id?.value}`,
  );
  throw new Error(
    `'${name}' may be one of several tasks; say more of its id, or --framework:\n${list.join("\n")}`,
  );
}

function containerOf({ statuses }: Task): ContainerID | undefined {
  return statuses.findLast(({ container_status: status }) => status?.container_id !== undefined)
    ?.container_status?.container_id;
}

/** The answer of the master that leads: others send on to it. */
async function ask(master: string, type: Call_Type): Promise<Response> {
  const problems: string[] = [];
  for (const address of parseAddresses(master, DEFAULT_PORT)) {
    try {
      return await askOne(address, type);
    } catch (error) {
      problems.push(`the master at ${addressText(address)} does not answer: ${causeOf(error)}`);
    }
  }
  throw new Error(problems.join("; "));
}

async function askOne({ protocol, host, port, prefix }: DaemonAddress, type: Call_Type): Promise<Response> {
  const answer = await fetch(`${protocol}//${host}:${port}${prefix}/api/v1`, {
    method: "POST",
    headers: { "Content-Type": MEDIA_TYPES.json, Accept: MEDIA_TYPES.protobuf },
    body: JSON.stringify({ type: Call_Type[type] }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const body = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) {
    const text = body.toString().trim() || `status ${answer.status}`;
    throw new Error(text.includes("agent::Call") ? "it is an agent" : text);
  }
  return codecs.Response.decode(body);
}

/** `fetch` hides why it failed in its error's cause. */
const causeOf = (error: unknown): string => reasonOf(error instanceof Error ? (error.cause ?? error) : error);
