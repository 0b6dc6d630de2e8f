import { type ChildProcess, spawn } from "node:child_process";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { formatDuration } from "../../sdk/values/index.js";
import { isObject, type JsonObject } from "./json.js";

export interface PluginCall {
  readonly command: "ADD" | "DEL";
  /** Path of the plugin's program. */
  readonly program: string;
  readonly containerId: string;
  readonly network: string;
  readonly ifName: string;
  /** Path of the network namespace; absent where it is gone, which plugins must bear at DEL. */
  readonly namespace: string | undefined;
  /** CNI_ARGS. */
  readonly args: string | undefined;
  /** What it reads. */
  readonly input: JsonObject;
  /** The container's directory: by it the processes of a plugin are found when the agent was killed in the middle. */
  readonly stateDirectory: string;
}

export interface PluginRunnerOptions {
  /** CNI_PATH: where plugins find others. */
  readonly pluginPath: string;
  /** A plugin that takes longer is killed. Milliseconds. */
  readonly timeout: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** In the environment of every process of a plugin. */
export const STATE_VARIABLE = "TEPUI_CNI_STATE";

const MAX_OUTPUT = 1024 * 1024;
const KEPT_ERRORS = 8192;
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Calls CNI plugins, as the specification says: parameters in the environment, the configuration on the standard input. */
export class PluginRunner {
  constructor(private readonly options: PluginRunnerOptions) {}

  /** What it wrote. Rejects with an Error that says which plugin failed and why. */
  async run(call: PluginCall): Promise<string> {
    const { clock, logger, timeout, pluginPath } = this.options;
    const child = spawn(call.program, [], {
      cwd: "/",
      env: environment(call, pluginPath),
      // A group of its own, so that what it started is killed with it.
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    let problem: string | undefined;
    const giveUp = (why: string): void => {
      problem ??= why;
      killGroup(child);
    };
    const timer = clock.setTimeout(() => giveUp(`it took longer than ${formatDuration(timeout)}`), timeout);
    try {
      const { output, errors, exit } = await this.follow(child, { input: call.input, giveUp });
      const failure = problem ?? (exit === undefined ? undefined : reasonOf(exit, { output, errors }));
      const fields = { network: call.network, container: call.containerId, plugin: call.program };
      if (errors !== "") {
        const message = `a CNI plugin said at ${call.command}: ${errors}`;
        if (failure === undefined) logger.info(fields, message);
        else logger.warn(fields, message);
      }
      if (failure !== undefined) throw new Error(failed(call, failure));
      return output;
    } finally {
      timer.cancel();
    }
  }

  /** `exit` is absent where it ended well. */
  private follow(
    child: ChildProcess,
    { input, giveUp }: { input: JsonObject; giveUp: (why: string) => void },
  ): Promise<{ output: string; errors: string; exit: string | undefined }> {
    return new Promise((resolve) => {
      let output = "";
      let errors = "";
      child.stdout!.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (output.length > MAX_OUTPUT) giveUp(`it wrote more than ${MAX_OUTPUT} characters`);
      });
      child.stderr!.setEncoding("utf8").on("data", (text: string) => {
        errors = (errors + text).slice(-KEPT_ERRORS);
      });
      // One that does not read, or ends before it has read everything: its exit says what there is to say.
      child.stdin!.on("error", () => undefined);
      child.stdin!.end(JSON.stringify(input));
      const done = (exit: string | undefined): void => resolve({ output, errors: errors.trim(), exit });
      child.once("error", (error) => done(error.message));
      child.once("close", (code, signal) => {
        done(code === 0 ? undefined : signal === null ? `exit status ${code}` : `ended by ${signal}`);
      });
    });
  }
}

function environment(call: PluginCall, pluginPath: string): Record<string, string> {
  return {
    // Plugins call iptables and the like.
    PATH: process.env.PATH ?? DEFAULT_PATH,
    CNI_COMMAND: call.command,
    CNI_CONTAINERID: call.containerId,
    CNI_IFNAME: call.ifName,
    CNI_PATH: pluginPath,
    ...(call.namespace !== undefined && { CNI_NETNS: call.namespace }),
    ...(call.args !== undefined && { CNI_ARGS: call.args }),
    [STATE_VARIABLE]: call.stateDirectory,
  };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
  child.stdout!.destroy();
  child.stderr!.destroy();
}

/** Plugins report errors as JSON on the standard output. */
function reasonOf(exit: string, { output, errors }: { output: string; errors: string }): string {
  try {
    const error: unknown = JSON.parse(output);
    if (isObject(error) && typeof error.msg === "string") {
      return typeof error.details === "string" && error.details !== ""
        ? `${error.msg}: ${error.details}`
        : error.msg;
    }
  } catch {
    // Some other program's.
  }
  return [exit, output.trim().slice(0, 500), errors.slice(-500)].filter(Boolean).join(": ");
}

function failed({ program, command, containerId, network }: PluginCall, why: string): string {
  const what = command === "ADD" ? "attach" : "detach";
  const to = command === "ADD" ? "to" : "from";
  return `The CNI plugin '${program}' failed to ${what} container ${containerId} ${to} CNI network '${network}': ${why}`;
}
