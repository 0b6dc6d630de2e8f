import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import * as codecs from "../../../proto/gen/json/mesos/v1/agent/agent.js";
import type { ContainerID } from "../../../proto/gen/mesos/v1/mesos.js";
import { AgentApi, AgentRefusal } from "./agent-api.js";
import { copyInput, copyOutput, inputProblem } from "./conversation.js";
import { findTask, running, type TaskChoice } from "./find-task.js";
import { LocalTerminal, type TerminalProcess } from "./terminal.js";

export interface ExecOptions extends TaskChoice {
  readonly command: readonly string[];
  /** Forward standard input. */
  readonly interactive: boolean;
  /** Allocate a terminal on the other side. */
  readonly tty: boolean;
}

/** `tepui task exec`: runs a command in a task's container. The exit code is the command's, or 128 plus the signal that ended it. */
export async function runExec(
  options: ExecOptions,
  process: TerminalProcess & { readonly stderr: NodeJS.WriteStream; readonly env: NodeJS.ProcessEnv },
): Promise<number> {
  const { stdin, stdout, stderr } = process;
  if (options.tty && !stdin.isTTY) {
    throw new Error("standard input is no terminal, which --tty is for; leave it out");
  }
  const { agent, containerId: parent } = running(await findTask(options));
  const api = new AgentApi(agent);
  const terminal = options.tty ? new LocalTerminal(process) : undefined;
  const containerId: ContainerID = { value: randomUUID(), parent };
  const output = await api.listen({
    type: "LAUNCH_NESTED_CONTAINER_SESSION",
    launch_nested_container_session: session(options, { containerId, terminal, env: process.env }),
  });
  const input = api.type(containerId);
  void inputProblem(input).then((problem) => {
    if (problem !== undefined && !READS_NO_MORE.includes(problem.status))
      stderr.write(`tepui task exec: ${problem.message}\n`);
  });
  if (options.interactive) terminal?.enterRaw();
  const stop = copyInput({ input, stdin: options.interactive ? stdin : silent(terminal), terminal });
  try {
    await copyOutput(output, { stdout, stderr });
  } finally {
    stop();
    terminal?.restore();
  }
  return exitCode(api, containerId);
}

/** The command has ended, or closed its input: as in a pipe, no problem for the user. */
const READS_NO_MORE: readonly number[] = [404, 400];

/** Stands in for standard input: ends at once, except for a terminal, which has no end. */
const silent = (terminal: LocalTerminal | undefined): Readable =>
  terminal === undefined ? Readable.from([]) : new Readable({ read: () => undefined });

function session(
  { command }: ExecOptions,
  given: { containerId: ContainerID; terminal: LocalTerminal | undefined; env: NodeJS.ProcessEnv },
): object {
  const { containerId, terminal, env } = given;
  const term = terminal && env.TERM;
  return {
    container_id: containerId,
    command: {
      shell: false,
      value: command[0],
      arguments: command,
      ...(term && { environment: { variables: [{ name: "TERM", value: term }] } }),
    },
    ...(terminal && { container: { type: "MESOS", tty_info: { window_size: terminal.size } } }),
  };
}

/** How the command ended; removes what is left of its container. */
async function exitCode(api: AgentApi, containerId: ContainerID): Promise<number> {
  const part = { container_id: containerId };
  const answer = await api.call({ type: "WAIT_NESTED_CONTAINER", wait_nested_container: part });
  await api
    .call({ type: "REMOVE_NESTED_CONTAINER", remove_nested_container: part })
    .catch((error: unknown) => {
      // It is removed with its parent at the latest.
      if (!(error instanceof AgentRefusal)) throw error;
    });
  const ended = codecs.Response.decode(answer).wait_nested_container;
  const status = ended?.exit_status;
  if (status === undefined) throw new Error(ended?.message ?? "the agent cannot say how the command ended");
  return (status & 0x7f) !== 0 ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
}
