import { runExecute } from "./commands/execute.js";
import { runTepui } from "./commands/tepui.js";
import { runDaemon } from "./daemon.js";

/** The programs of the package, by the name that they were started with. */
export type Program = "tepui" | "mesos-master" | "mesos-agent" | "mesos-execute";

/** Resolves to the exit code. */
export function main(program: Program, argv: readonly string[]): Promise<number> {
  switch (program) {
    case "mesos-master":
      return runDaemon({ target: "master", argv, program });
    case "mesos-agent":
      return runDaemon({ target: "agent", argv, program });
    case "mesos-execute":
      return execute(argv, "mesos");
    default:
      return runTepui(argv, { execute: (rest) => execute(rest, "tepui") });
  }
}

function execute(argv: readonly string[], style: "tepui" | "mesos"): Promise<number> {
  const interruption = new AbortController();
  process.once("SIGINT", () => interruption.abort());
  process.once("SIGTERM", () => interruption.abort());
  const { stdout, stderr } = process;
  return runExecute(argv, { stdout, stderr, signal: interruption.signal, style });
}
