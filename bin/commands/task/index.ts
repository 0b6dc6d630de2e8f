import { Command } from "commander";
import { messageOf } from "../../../sdk/errors/index.js";

interface Chosen {
  readonly master: string;
  readonly framework?: string;
}

/** `tepui task ...`: commands that look into tasks. @param set receives the exit code */
export function taskCommand(set: (work: Promise<number>) => Promise<void>): Command {
  const task = new Command("task").description(
    "look into tasks: run commands in them, attach, read their logs",
  );
  task.enablePositionalOptions();
  onTask(task.command("exec"))
    .description("run a command in the container of a task; the exit code is the command's")
    .argument("<task>", "id, or the beginning of one")
    .argument("<command...>", "the program and its arguments")
    .option("-i, --interactive", "pass standard input on")
    .option("-t, --tty", "give the command a terminal")
    .passThroughOptions()
    .action((name: string, command: string[], options: Chosen & { interactive?: boolean; tty?: boolean }) =>
      set(
        told("exec", async () => {
          const { runExec } = await import("./exec.js");
          const { interactive = false, tty = false } = options;
          return runExec({ ...options, task: name, command, interactive, tty }, process);
        }),
      ),
    );
  onTask(task.command("attach"))
    .description(
      "see what a task writes from now on, and type into it where it takes input (Ctrl-P Ctrl-Q lets go)",
    )
    .argument("<task>", "id, or the beginning of one")
    .option("--no-stdin", "only look on")
    .action((name: string, options: Chosen & { stdin: boolean }) =>
      set(
        told("attach", async () => {
          const { runAttach } = await import("./attach.js");
          return runAttach({ ...options, task: name, noStdin: !options.stdin }, process);
        }),
      ),
    );
  onTask(task.command("logs"))
    .description("what a task wrote to its standard output")
    .argument("<task>", "id, or the beginning of one")
    .option("-f, --follow", "go on until the task has ended")
    .option("--stderr", "its standard error instead")
    .action((name: string, options: Chosen & { follow?: boolean; stderr?: boolean }) =>
      set(
        told("logs", async () => {
          const { runLogs } = await import("./logs.js");
          const { follow = false, stderr = false } = options;
          return runLogs({ ...options, task: name, follow, stderr }, process);
        }),
      ),
    );
  return task;
}

function onTask(command: Command): Command {
  const { TEPUI_MASTER, MESOS_MASTER } = process.env;
  return command
    .option(
      "--master <host:port>",
      "a master, or several with commas; also as TEPUI_MASTER",
      TEPUI_MASTER ?? MESOS_MASTER ?? "127.0.0.1:5050",
    )
    .option("--framework <id>", "the task of this framework, where several have one of the id");
}

async function told(name: string, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    process.stderr.write(`tepui task ${name}: ${messageOf(error)}\n`);
    return 1;
  }
}
