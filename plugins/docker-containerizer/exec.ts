import { once } from "node:events";
import type { CommandInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerExit } from "../../sdk/contracts/containerizer.js";
import type { Engine, EngineExec } from "./engine.js";

/**
 * Runs a command in a container and waits for its end, as `docker exec` does: as the container's user, with its environment and the command's
 * own. The engine has no way to end it: when the signal is aborted it is killed by its pid, and neither its end nor the engine waited for.
 */
export async function execIn(
  engine: Pick<Engine, "exec">,
  of: { readonly name: string; readonly command: CommandInfo; readonly signal: AbortSignal },
): Promise<ContainerExit> {
  const { command, signal } = of;
  const starting = engine.exec(of.name, { argv: argvOf(command), env: environmentOf(command) });
  try {
    const { output, inspect } = await unlessAborted(starting, signal);
    output.resume();
    if (!output.readableEnded) await once(output, "end", { signal });
    const { exitCode } = await unlessAborted(inspect(), signal);
    if (exitCode === undefined) throw new Error("the engine does not know how the command ended");
    return { code: exitCode, signal: undefined };
  } finally {
    // An engine that hangs may start it yet.
    const over = starting.then((started) => end(started, signal.aborted));
    // What went wrong before has been told, and the rest is of no interest any more.
    over.catch(() => undefined);
  }
}

/** Rejects as soon as the signal is aborted, whatever becomes of the promise. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = new AbortController();
  try {
    const end = once(signal, "abort", { signal: aborted.signal }).then(() => Promise.reject(signal.reason));
    return await Promise.race([promise, end]);
  } finally {
    aborted.abort();
  }
}

/** Of a command in a shell, and of one without: there the value is the program, and all arguments follow it. */
function argvOf({ shell, value, arguments: args }: CommandInfo): string[] {
  if (shell !== false) return ["sh", "-c", value ?? ""];
  return value === undefined ? args : [value, ...args];
}

const environmentOf = ({ environment }: CommandInfo): string[] =>
  (environment?.variables ?? []).flatMap(({ name, value }) =>
    name === undefined || value === undefined ? [] : [`${name}=${value}`],
  );

async function end({ output, inspect }: EngineExec, kill: boolean): Promise<void> {
  output.destroy();
  if (!kill) return;
  const { exitCode, pid } = await inspect();
  if (exitCode !== undefined || pid <= 0) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended meanwhile, or the engine is on another host.
  }
}
