import { AgentApi } from "./agent-api.js";
import { copyInput, copyOutput, inputProblem } from "./conversation.js";
import { findTask, running, type TaskChoice } from "./find-task.js";
import { LocalTerminal, type TerminalProcess } from "./terminal.js";

export interface AttachOptions extends TaskChoice {
  /** Only watch. */
  readonly noStdin: boolean;
}

/**
 * `tepui task attach`: connects the terminal to the task's input and output, until the task ends or the user detaches with Ctrl-P, Ctrl-Q.
 */
export async function runAttach(
  options: AttachOptions,
  process: TerminalProcess & { readonly stderr: NodeJS.WriteStream },
): Promise<number> {
  const { stdin, stdout, stderr } = process;
  const found = await findTask(options);
  const { agent, containerId } = running(found);
  const api = new AgentApi(agent);
  const listening = {
    type: "ATTACH_CONTAINER_OUTPUT",
    attach_container_output: { container_id: containerId },
  };
  const leaving = new AbortController();
  const output = await api.listen(listening, leaving.signal);
  const remoteTerminal = found.task.container?.tty_info !== undefined;
  const terminal = remoteTerminal && stdin.isTTY && !options.noStdin ? new LocalTerminal(process) : undefined;
  let letGo: () => void = () => undefined;
  const detached = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let stop: (() => void) | undefined;
  if (!options.noStdin) {
    const input = api.type(containerId);
    void inputProblem(input).then((problem) => {
      if (problem === undefined) return;
      terminal?.restore();
      stop?.();
      stderr.write(`tepui task attach: ${problem.message}; showing the output alone\n`);
    });
    terminal?.enterRaw();
    stop = copyInput({ input, stdin, terminal, ...(terminal && { detached: letGo }) });
  }
  const copied = copyOutput(output, { stdout, stderr });
  // Reported by the race, or no longer of interest.
  copied.catch(() => undefined);
  try {
    await Promise.race([copied, detached]);
  } finally {
    leaving.abort();
    stop?.();
    terminal?.restore();
  }
  return 0;
}
