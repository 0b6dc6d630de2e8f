import { spawn } from "node:child_process";
import { mkdir, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Fetcher } from "../../sdk/contracts/fetcher.js";
import type { Counter } from "../../sdk/contracts/metrics.js";
import type { SandboxFetch } from "../../sdk/contracts/sandbox-fetch.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { type Account, accountOf } from "../../sdk/proc/index.js";
import { unpackingOf } from "./archive.js";
import { type FetchItem, readUri } from "./uri.js";

export interface UriFetchOptions {
  readonly fetchers: ReadonlyMap<string, Fetcher>;
  /** Mesos's `frameworks_home`. */
  readonly frameworksHome: string;
  /** Milliseconds. */
  readonly stallTimeout: number;
  /** Where files are fetched to before they go into sandboxes; of the agent alone. */
  readonly stagingDirectory: string;
  /** Of containers, not of URIs. */
  readonly succeeded: Counter;
  readonly failed: Counter;
}

interface Step {
  readonly request: ContainerRequest;
  readonly account: Account | undefined;
  readonly staging: string;
  readonly signal: AbortSignal;
}

/**
 * Fetches a command's URIs, one after the other, in their order. The agent writes only to its own staging directory; what
 * touches the sandbox runs as the container's user, because an unpacked archive may have put links there.
 */
export class UriFetch implements SandboxFetch {
  constructor(private readonly options: UriFetchOptions) {}

  async fetch(options: {
    request: ContainerRequest;
    user: string | undefined;
    signal: AbortSignal;
  }): Promise<void> {
    const { request, user } = options;
    if (request.command.uris.length === 0) return;
    const staging = join(this.options.stagingDirectory, request.containerId.value!);
    try {
      await mkdir(staging, { recursive: true, mode: 0o700 });
      const items = request.command.uris.map((uri) => readUri(uri, this.options.frameworksHome));
      const account = user === undefined ? undefined : await accountOf(user);
      if (user !== undefined && account === undefined) {
        throw new TepuiError("TEPUI_FETCH_FAILED", {
          detail: `the user '${user}' does not exist on this host`,
        });
      }
      for (const item of items) await this.fetchOne(item, { ...options, staging, account });
      this.options.succeeded.inc();
    } catch (error) {
      this.options.failed.inc();
      throw error;
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  }

  private async fetchOne(item: FetchItem, step: Step): Promise<void> {
    const fetcher = this.options.fetchers.get(item.scheme);
    if (fetcher === undefined) {
      const known = [...this.options.fetchers.keys()].sort().join(", ");
      throw new TepuiError("TEPUI_FETCH_FAILED", {
        detail: `'${item.uri}': there is no fetcher for '${item.scheme}' URIs; there are fetchers for ${known || "nothing"}`,
      });
    }
    const staged = join(step.staging, "fetched");
    const { stallTimeout } = this.options;
    await fetcher.fetch({
      uri: item.uri,
      destination: staged,
      stallTimeout,
      signal: step.signal,
      account: step.account,
    });
    const target = join(step.request.directory, item.name);
    if (dirname(item.name) !== ".") await run(step, { command: ["mkdir", "-p", dirname(target)], item });
    const mode = item.executable ? "755" : "644";
    await run(step, {
      command: ["sh", "-c", 'cat > "$1" && chmod "$2" "$1"', "sh", target, mode],
      item,
      input: staged,
    });
    await rm(staged);
    const unpacking = item.extract ? unpackingOf(item.name, target) : undefined;
    if (unpacking === undefined) return;
    const command: readonly [string, ...string[]] =
      unpacking.output === undefined
        ? unpacking.command
        : [
            "sh",
            "-c",
            'out=$1; shift; exec "$@" > "$out"',
            "sh",
            unpacking.output.split("/").at(-1)!,
            ...unpacking.command,
          ];
    await run(step, { command, item });
  }
}

/** Runs a program in the sandbox as the container's user. */
async function run(
  { request, account, signal }: Step,
  task: { command: readonly [string, ...string[]]; item: FetchItem; input?: string },
): Promise<void> {
  const [program, ...args] = task.command;
  const input = task.input === undefined ? undefined : await open(task.input);
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn(program, args, {
        ...account,
        cwd: request.directory,
        signal,
        stdio: [input?.fd ?? "ignore", "ignore", "pipe"],
      });
      let errors = "";
      child.stderr?.on("data", (text: Buffer) => {
        if (errors.length < 1000) errors += text.toString();
      });
      const refuse = (why: string): void =>
        reject(new TepuiError("TEPUI_FETCH_FAILED", { detail: `'${task.item.uri}': ${why}` }));
      child.once("error", (error) => refuse(`'${program}' cannot be run: ${error.message}`));
      child.once("close", (code, killed) => {
        if (code === 0) return resolve();
        refuse(`'${program}' ended with ${killed ?? `status ${code}`}: ${errors.trim()}`);
      });
    });
  } finally {
    await input?.close();
  }
}
