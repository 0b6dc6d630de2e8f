import { once } from "node:events";
import type { CommandInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerExit } from "../../sdk/contracts/containerizer.js";
import type { Engine, EngineExec } from "./engine.js";

/**
 * Runs a command in a container and waits for its end, as `docker exec` does: as the container's user, with its environment and the command's
 * own. The engine has no way to end it: when the signal is aborted it is killed by its pid, and its end not waited for.
 */
export async function execIn(
  engine: Engine,
  of: { readonly name: string; readonly command: CommandInfo; readonly signal: AbortSignal },
): Promise<ContainerExit> {
  const { command, signal } = of;
  const started = await engine.exec(of.name, { argv: argvOf(command), env: environmentOf(command) });
  const { output } = started;
  try {
    output.resume();
    signal.throwIfAborted();
    if (!output.readableEnded) await once(output, "end", { signal });
  } catch (error) {
    await kill(started);
    throw error;
  } finally {
    output.destroy();
  }
  const { exitCode } = await started.inspect();
  if (exitCode === undefined) throw new Error("the engine does not know how the command ended");
  return { code: exitCode, signal: undefined };
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

async function kill(started: EngineExec): Promise<void> {
  const { exitCode, pid } = await started.inspect();
  if (exitCode !== undefined || pid <= 0) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended meanwhile, or the engine is on another host.
  }
}
