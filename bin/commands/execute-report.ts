import * as codecs from "../../proto/gen/json/mesos/v1/mesos.js";
import {
  TaskState,
  type TaskStatus,
  TaskStatus_Reason,
  TaskStatus_Source,
} from "../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../sdk/resources/index.js";

/** Receives text; process.stdout is one. */
export interface TextSink {
  write(chunk: string | Uint8Array): unknown;
}

export interface Streams {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
}

/** Tells the user what happens to the workload. */
export interface Report {
  subscribed(frameworkId: string): void;
  submitted(taskNames: readonly string[], agent: { readonly id: string; readonly hostname: string }): void;
  updated(status: TaskStatus): void;
  killing(taskId: string, agentId: string): void;
  waiting(reason: string): void;
}

/** Prints exactly what `mesos-execute` prints, for scripts that parse it. */
export class MesosReport implements Report {
  constructor(
    private readonly streams: Streams,
    private readonly grouped: boolean,
  ) {}

  subscribed(frameworkId: string): void {
    this.line(`Subscribed with ID ${frameworkId}`);
  }

  submitted(names: readonly string[], agent: { readonly id: string }): void {
    const what = this.grouped ? `task group with tasks [ ${names.join(", ")} ]` : `task '${names[0]}'`;
    this.line(`Submitted ${what} to agent '${agent.id}'`);
  }

  updated(status: TaskStatus): void {
    this.line(`Received status update ${TaskState[status.state!]} for task '${status.task_id?.value}'`);
    for (const [name, value] of details(status)) this.line(`  ${name}: ${value}`);
  }

  killing(taskId: string, agentId: string): void {
    this.line(`Asked to kill task '${taskId}' on agent '${agentId}'`);
  }

  waiting(): void {
    // Mesos's tool prints nothing while it waits.
  }

  private line(text: string): void {
    this.streams.stdout.write(`${text}\n`);
  }
}

/** For a person at a terminal: states go to stderr, so that stdout has only the task's output. */
export class TerminalReport implements Report {
  private agent = "";

  constructor(private readonly streams: Streams) {}

  subscribed(frameworkId: string): void {
    this.line(`subscribed as framework ${frameworkId}`);
  }

  submitted(names: readonly string[], { hostname }: { readonly hostname: string }): void {
    this.agent = hostname;
    this.line(`launching ${names.join(", ")} on ${hostname}`);
  }

  updated(status: TaskStatus): void {
    const facts = [
      status.message,
      status.reason === undefined ? undefined : TaskStatus_Reason[status.reason],
      status.healthy === undefined ? undefined : status.healthy ? "healthy" : "unhealthy",
    ].filter((fact) => fact !== undefined && fact !== "");
    const where = status.state === TaskState.TASK_RUNNING && this.agent !== "" ? ` on ${this.agent}` : "";
    const why = facts.length === 0 ? "" : `: ${facts.join(", ")}`;
    this.line(`${status.task_id?.value} ${TaskState[status.state!]}${where}${why}`);
  }

  killing(taskId: string): void {
    this.line(`killing ${taskId}`);
  }

  waiting(reason: string): void {
    this.line(reason);
  }

  private line(text: string): void {
    this.streams.stderr.write(`[tepui] ${text}\n`);
  }
}

/** What an update says in addition to the state, in Mesos's order and form. */
function details(status: TaskStatus): [string, string][] {
  const facts: [string, string][] = [];
  if (status.message !== undefined) facts.push(["message", `'${status.message}'`]);
  if (status.source !== undefined)
    facts.push(["source", TaskStatus_Source[status.source] ?? String(status.source)]);
  if (status.reason !== undefined)
    facts.push(["reason", TaskStatus_Reason[status.reason] ?? String(status.reason)]);
  if (status.healthy !== undefined) facts.push(["healthy?", status.healthy ? "1" : "0"]);
  if (status.check_status !== undefined)
    facts.push(["check status", codecs.CheckStatusInfo.json.write(status.check_status)]);
  if ((status.limitation?.resources.length ?? 0) > 0)
    facts.push(["resource limit violation", Resources.of(status.limitation!.resources).toString()]);
  return facts;
}
