import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { resourceList } from "../../sdk/index.js";

export interface ExampleRun {
  readonly process: ChildProcess;
  /** Everything printed so far, on either stream. */
  text(): string;
  /** Resolves when the text has been printed. */
  prints(text: string): Promise<void>;
  /** Resolves to the exit code. */
  readonly ended: Promise<number | null>;
}

/** The compiled module of an example, beside the compiled tests. */
export function exampleFile(path: string): string {
  return fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));
}

/** The executor example, for as many tasks as want it; each runs for the milliseconds that its `data` says. */
export const sharedExecutor = (id: string) => ({
  executor_id: { value: id },
  command: {
    value: `exec ${process.execPath} ${exampleFile("executor/executor.js")}`,
    uris: [],
    arguments: [],
  },
  resources: resourceList("cpus:0.1;mem:128"),
});

/** Starts an example as a program. */
export function startExample(
  path: string,
  { args = [], env = {} }: { args?: readonly string[]; env?: Record<string, string> },
): ExampleRun {
  const child = spawn(process.execPath, [exampleFile(path), ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  const waiting: { text: string; resolve: () => void }[] = [];
  const collect = (chunk: Buffer): void => {
    text += chunk.toString();
    for (const wait of waiting) if (text.includes(wait.text)) wait.resolve();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    process: child,
    ended,
    text: () => text,
    prints: (wanted) =>
      new Promise((resolve, reject) => {
        if (text.includes(wanted)) resolve();
        waiting.push({ text: wanted, resolve });
        void ended.then((code) =>
          reject(new Error(`ended with ${code} before it printed '${wanted}':\n${text}`)),
        );
      }),
  };
}

/** What the framework example must do against any master that serves gRPC there: run three tasks to their ends. */
export async function checkFrameworkExample(grpcMaster: string): Promise<void> {
  const run = startExample("framework/framework.js", { args: [grpcMaster, "3", "echo hello"] });
  const code = await run.ended;
  if (code !== 0) throw new Error(`the framework ended with ${code}:\n${run.text()}`);
  for (const task of ["task-0", "task-1", "task-2"])
    for (const state of ["TASK_RUNNING", "TASK_FINISHED"])
      if (!run.text().includes(`${task} ${state}`)) throw new Error(`no ${state} of ${task}:\n${run.text()}`);
}
