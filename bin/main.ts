import { sizeHeap } from "./heap.js";

/** The programs of the package, by the name that they were started with. */
export type Program = "tepui" | "mesos-master" | "mesos-agent" | "mesos-execute";

/** Resolves to the exit code. Each program loads only what it needs. */
export async function main(program: Program, argv: readonly string[]): Promise<number> {
  switch (program) {
    case "mesos-master":
      return daemon("master", argv, program);
    case "mesos-agent":
      return daemon("agent", argv, program);
    case "mesos-execute":
      return execute(argv, "mesos");
    default:
      return tepui(argv);
  }
}

async function tepui([command, ...rest]: readonly string[]): Promise<number> {
  switch (command) {
    case "master":
    case "agent":
      // Flags begin with dashes: a word is a question to an agent that runs, or a mistake that must not start a daemon.
      if (rest[0]?.startsWith("-") === false) return commands([command, ...rest]);
      return daemon(command, rest, `tepui ${command}`);
    case "execute":
      return execute(rest, "tepui");
    case "help":
      return rest.length === 0 ? tepui([]) : tepui([...rest, "--help"]);
    default:
      return commands(command === undefined ? [] : [command, ...rest]);
  }
}

async function commands(argv: readonly string[]): Promise<number> {
  const { watchOutput } = await import("./output.js");
  watchOutput("tepui", (code) => process.exit(code));
  const { runTepui } = await import("./commands/tepui.js");
  return runTepui(argv);
}

async function daemon(target: "master" | "agent", argv: readonly string[], program: string): Promise<number> {
  // Before the rest is loaded: that alone would make the heap grow.
  sizeHeap(target);
  const { runDaemon } = await import("./daemon.js");
  const { endProcess } = await import("./end.js");
  const { code, stuck } = await runDaemon({ target, argv, program });
  // Stopped in order or given up on: nothing that a plugin left running may hold the process.
  return endProcess({ code: code === 0 ? Number(process.exitCode ?? 0) : code, stuck, program });
}

async function execute(argv: readonly string[], style: "tepui" | "mesos"): Promise<number> {
  const { runExecute } = await import("./commands/execute.js");
  const interruption = new AbortController();
  process.once("SIGINT", () => interruption.abort());
  process.once("SIGTERM", () => interruption.abort());
  const { watchOutput } = await import("./output.js");
  let unwritten = 0;
  watchOutput(style === "mesos" ? "mesos-execute" : "tepui execute", (code) => {
    unwritten = code;
    process.exitCode = code;
    // As with Ctrl-C: the task is not left behind.
    interruption.abort();
  });
  const { stdout, stderr } = process;
  const code = await runExecute(argv, { stdout, stderr, signal: interruption.signal, style });
  return unwritten || code;
}
