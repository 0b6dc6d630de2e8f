import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/** Simulated agents in a process of their own. */
export interface AgentCrowd {
  /** Resolves when all are registered: seconds. */
  register(): Promise<number>;
  /** They get tasks of frameworks, and what they will say of them is encoded, so that this takes no time later. */
  prepare(work: { tasks: number; frameworks: number }): Promise<void>;
  /** After the master has died and is back at its address. Resolves when all are re-registered: seconds. */
  reregister(): Promise<number>;
  end(): Promise<void>;
}

/** @param options.each agents a host */
export async function startAgents(options: {
  port: number;
  count: number;
  each: number;
}): Promise<AgentCrowd> {
  const script = new URL("simulated-agents.js", import.meta.url).pathname;
  const child = spawn(
    "sh",
    [
      "-c",
      'ulimit -n 65536 2>/dev/null; exec "$@"',
      "sh",
      process.execPath,
      "--max-old-space-size=4096",
      script,
      `127.0.0.1:${options.port}`,
      String(options.count),
      String(options.each),
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  child.once("exit", (code) => {
    if (code !== 0 && code !== null) process.exitCode = 1;
  });
  const lines = createInterface({ input: child.stdout! });
  const gone = once(child, "exit").then(([code]) => {
    throw new Error(`the simulated agents ended with ${code}`);
  });
  gone.catch(() => undefined);
  await Promise.race([once(lines, "line"), gone]);
  const order = async (command: string): Promise<number> => {
    const began = performance.now();
    const done = once(lines, "line");
    child.stdin!.write(`${command}\n`);
    await Promise.race([done, gone]);
    return (performance.now() - began) / 1000;
  };
  return {
    register: () => order("register"),
    prepare: async ({ tasks, frameworks }) => void (await order(`prepare ${tasks} ${frameworks}`)),
    reregister: () => order("reregister"),
    end: async () => {
      child.stdin!.end();
      await gone.catch(() => undefined);
    },
  };
}

/** A master keeps two connections to a host; where they do not fit into the descriptors that a process may have, agents share hosts. */
export function agentsPerHost(count: number): number {
  const limit = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1]);
  return Math.max(1, Math.ceil((2 * count) / (limit - 1000)));
}
