import {
  StatusUpdateAcknowledgementMessage,
  StatusUpdateMessage,
} from "../../../proto/gen/mesos/internal/messages.js";
import { TaskState, type TaskStatus } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";
import { Resources } from "../../../sdk/resources/index.js";
import { isTerminal } from "../../../sdk/task-states.js";
import type { AgentNode } from "../agent-node.js";
import type { Cluster } from "../cluster.js";
import { AGENT_PORT } from "../cluster-options.js";
import type { ContainerHost, ContainerObserver, RunningContainer } from "../containers.js";
import type { TaskRecord } from "../framework-node.js";

const { TASK_FINISHED, TASK_FAILED, TASK_KILLED, TASK_UNREACHABLE } = TaskState;

/** Terminal states that only the task's own process can cause. */
const OWN_ENDS: ReadonlySet<TaskState> = new Set([TASK_FINISHED, TASK_FAILED, TASK_KILLED]);

/** An acknowledgement takes no longer than this to reach the agent. */
const DELAY_MS = 120_000;

/** Checks made as things happen: as containers start, messages are sent and status updates are received. */
export class Watch implements ContainerObserver {
  /** By framework and task id: everything that ever ran, except executors. */
  private readonly containers = new Map<string, RunningContainer>();

  /** Tasks that were delivered to custom executors. */
  private readonly handedOut = new Set<string>();
  /** By framework and task id: tasks whose end was acknowledged through a master that was dead by then, until agents restart. */
  private readonly bequeathed = new Set<string>();
  /** Messages between schedulers and executors that were delivered; each was sent once. */
  private readonly messages = new Set<string>();

  constructor(private readonly cluster: Cluster) {}

  start(): void {
    const { messages, masters } = this.cluster;
    messages.taps.push((from, _to, { name, body }) => {
      if (name === "mesos.internal.StatusUpdateMessage" && from.endpoint.endsWith(`:${AGENT_PORT}`)) {
        this.told(StatusUpdateMessage.decode(body));
      }
      const master = masters.find(({ life }) => life?.transport === from)?.life;
      if (master !== undefined) this.acts(master.term, `${from.process.name} sends ${name}`);
    });
    messages.posthumous.push(({ from, name, body }) => {
      if (!from.startsWith("master@") || name !== "mesos.internal.StatusUpdateAcknowledgementMessage") return;
      const { framework_id, task_id } = StatusUpdateAcknowledgementMessage.decode(body);
      this.bequeathed.add(`${framework_id?.value}/${task_id?.value}`);
    });
  }

  container(frameworkId: string, taskId: string): RunningContainer | undefined {
    return this.containers.get(`${frameworkId}/${taskId}`);
  }

  /** Its end was acknowledged, but a master that leads at the address of the earlier one may never hear of that. */
  keptByMaster(frameworkId: string, taskId: string): boolean {
    return this.bequeathed.has(`${frameworkId}/${taskId}`);
  }

  /** Agents restart, and masters hear what they still have. */
  agentsBeginAnew(): void {
    this.bequeathed.clear();
  }

  /** A master does something that others can see. */
  acts(term: number, what: string): void {
    const { terms, world } = this.cluster;
    if (term !== terms.latest) {
      world.violate("one leader at a time", `${what} in term ${term}, while ${terms.latest} has begun`);
    }
  }

  started(container: RunningContainer): void {
    const { world, agents } = this.cluster;
    const { taskId } = container;
    if (taskId !== undefined) {
      const key = `${container.request.frameworkId}/${taskId}`;
      const before = this.containers.get(key);
      if (before !== undefined) {
        world.violate("no task runs twice", `${key} ran on ${before.agent}, and now on ${container.agent}`);
      }
      this.containers.set(key, container);
    }
    const node = agents.find(({ name }) => name === container.agent);
    if (node === undefined) return;
    const known = node.containers.running.filter((one) => !this.isForgotten(one));
    const used = Resources.sum(known.map(usedBy)).unallocate();
    if (!node.shape.hadRoom(used.quantities()))
      world.violate("no host is overcommitted", `${node.name} is ${node.shape.text}, and runs ${used}`);
  }

  /** An agent delivers tasks to a custom executor, together. */
  given({ frameworkId, executorId }: ContainerRequest, ids: readonly string[]): void {
    const { world } = this.cluster;
    const tasks = this.cluster.tasksOf(frameworkId);
    for (const id of ids) {
      const asked = tasks?.get(id)?.custom;
      if (asked?.executorId !== executorId || asked.together.join(" ") !== ids.join(" ")) {
        const detail = `${executorId} is given ${ids.join(" ")}, and ${asked?.together.join(" ")} were for ${asked?.executorId}`;
        world.violate("an executor is given what is for it", detail);
      }
      const key = `${frameworkId}/${id}`;
      if (this.handedOut.has(key))
        world.violate("a task is given to an executor once", `${key} to ${executorId}`);
      this.handedOut.add(key);
    }
  }

  /** A message between a scheduler and an executor is delivered. */
  delivered(text: string): void {
    if (this.messages.has(text)) this.cluster.world.violate("a message comes once at most", text);
    this.messages.add(text);
  }

  /** It runs for a task, or a framework, that has ended or may have, as far as everybody else knows. */
  private isForgotten({ request, taskId }: RunningContainer): boolean {
    const framework = this.cluster.frameworks.find(({ id }) => id === request.frameworkId);
    if (framework === undefined || framework.mayBeGivenUp) return true;
    const task = framework.tasks.get(taskId ?? "");
    return task?.forgotten === true && task.acknowledgedEnd !== undefined;
  }

  lostPower({ name }: ContainerHost): void {
    const { agents, frameworks } = this.cluster;
    const id = agents.find((node) => node.name === name)?.agentId;
    for (const { tasks } of frameworks)
      for (const task of tasks.values()) if (task.agentId === id) task.forgotten = true;
  }

  /** The agent dies after its disk failed: it may have forgotten what it heard in the meantime. */
  forgets({ agentId, disk }: AgentNode): void {
    for (const { tasks } of this.cluster.frameworks)
      for (const task of tasks.values())
        if (task.agentId === agentId && (task.acknowledgedAt ?? 0) >= disk.troubleSince - DELAY_MS)
          task.forgotten = true;
  }

  /** An agent sends an update about a task. */
  private told({ update }: StatusUpdateMessage): void {
    const status = update?.status;
    const id = status?.task_id?.value ?? "";
    const container = this.container(update?.framework_id?.value ?? "", id);
    if (status === undefined || container === undefined || !isTerminal(status.state)) return;
    const said = `${id} is said to be ${TaskState[status.state!]}`;
    if (container.termination === undefined) {
      this.cluster.world.violate("what is over does not run", `${said}, but runs on ${container.agent}`);
    } else if (status.state === TASK_FINISHED && container.termination.exit?.code !== 0) {
      this.cluster.world.violate("an end is told as it was", `${said}, but ended otherwise`);
    }
  }

  /** A framework receives an update about a task. */
  heard(task: TaskRecord, status: TaskStatus): void {
    const { world } = this.cluster;
    const { acknowledgedEnd: end } = task;
    // After a power failure, an agent may have forgotten what it was told.
    if (end === undefined || task.forgotten) return;
    const state = status.state!;
    // That its agent is unreachable says nothing about the task; the agent may not have heard of the acknowledgement.
    if (state === TASK_UNREACHABLE) return;
    const contradicted =
      !isTerminal(state) || (status.uuid !== undefined && state !== end && OWN_ENDS.has(state));
    if (contradicted) {
      const detail = `${task.id} is ${TaskState[state]} after its ${TaskState[end]} was acknowledged`;
      world.violate("what was acknowledged stays", detail);
    }
  }
}

/** For an executor, only its own resources. */
function usedBy({ taskId, request }: RunningContainer): Resources {
  if (taskId === undefined) return Resources.of(request.executor.resources);
  return request.task === undefined ? request.resources : Resources.of(request.task.resources);
}
