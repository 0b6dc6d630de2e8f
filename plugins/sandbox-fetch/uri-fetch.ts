import { chmod, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Fetcher, FetchSource } from "../../sdk/contracts/fetcher.js";
import type { Counter } from "../../sdk/contracts/metrics.js";
import type { SandboxFetch } from "../../sdk/contracts/sandbox-fetch.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { makeDirectory } from "../../sdk/files/index.js";
import { containerName } from "../../sdk/ids/index.js";
import { type Account, accountOf } from "../../sdk/proc/index.js";
import { unpackingOf, unpackingProgram } from "./archive.js";
import type { CachedFile, FetchCache } from "./fetch-cache.js";
import { runInSandbox, type SandboxProgram } from "./sandbox-program.js";
import { type FetchItem, readUri } from "./uri.js";

export interface UriFetchOptions {
  readonly fetchers: ReadonlyMap<string, Fetcher>;
  readonly cache: FetchCache;
  /** Mesos's `frameworks_home`. */
  readonly frameworksHome: string;
  /** Milliseconds. */
  readonly stallTimeout: number;
  /**
   * Where files are fetched to before they go into sandboxes; of this agent alone, and best on the sandboxes' file system, where some
   * copies take no time.
   */
  readonly stagingDirectory: string;
  /** Of containers, not of URIs. */
  readonly succeeded: Counter;
  readonly failed: Counter;
}

interface Step {
  readonly request: ContainerRequest;
  readonly user: string | undefined;
  readonly account: Account | undefined;
  readonly staging: string;
  readonly signal: AbortSignal;
}

/** Standard input as a file, which programs can open anew whoever they run as. */
const INPUT = "/dev/stdin";

/**
 * Puts its input at a path of the sandbox, where it runs; by reference where the file system can. A link that an archive left there is
 * replaced at the path's end, and not followed out of the sandbox on the way: its user may be root.
 */
const COPY = `
set -e
top=$(pwd -P) path=$1 mode=$2
while :; do
  step=\${path%%/*}
  [ "$step" != "$path" ] || break
  path=\${path#*/}
  [ -n "$step" ] || continue
  [ -d "./$step" ] || mkdir "./$step"
  cd -P "./$step"
  case "$(pwd -P)/" in
    "$top"/*) ;;
    *) echo "'$step' leads out of the sandbox" >&2; exit 1 ;;
  esac
done
[ ! -h "./$path" ] || rm -f "./$path"
{ [ ! -d "./$path" ] && cp /dev/stdin "./$path" 2>/dev/null; } || cat > "./$path"
chmod "$mode" "./$path"
`;

/**
 * Fetches a command's URIs, one after the other, in their order. The agent writes only to its own directories; what touches the
 * sandbox runs as the container's user, because an unpacked archive may have put links there.
 */
export class UriFetch implements SandboxFetch {
  constructor(private readonly options: UriFetchOptions) {}

  /** Removes what an earlier run was in the middle of. */
  async start(): Promise<void> {
    await rm(this.options.stagingDirectory, { recursive: true, force: true });
    await this.options.cache.start();
  }

  async fetch(options: {
    request: ContainerRequest;
    user: string | undefined;
    signal: AbortSignal;
  }): Promise<void> {
    const { request, user } = options;
    if (request.command.uris.length === 0) return;
    const staging = join(this.options.stagingDirectory, containerName(request.containerId));
    try {
      await makeDirectory(staging, 0o700);
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
    const fetcher = this.fetcherOf(item);
    const cached = item.cache ? await this.cached(item, fetcher, step) : undefined;
    try {
      if (cached === undefined) await this.fetchDirectly(item, fetcher, step);
      else await this.takeFromCache(item, cached, step);
    } finally {
      cached?.release();
    }
  }

  private fetcherOf({ uri, scheme }: FetchItem): Fetcher {
    const { fetchers } = this.options;
    const fetcher = fetchers.get(scheme);
    if (fetcher !== undefined) return fetcher;
    const known = [...fetchers.keys()].sort().join(", ");
    throw new TepuiError("TEPUI_FETCH_FAILED", {
      detail: `'${uri}': there is no fetcher for '${scheme}' URIs; there are fetchers for ${known || "nothing"}`,
    });
  }

  private cached(item: FetchItem, fetcher: Fetcher, step: Step): Promise<CachedFile | undefined> {
    const source = (signal: AbortSignal): FetchSource => ({
      uri: item.uri,
      stallTimeout: this.options.stallTimeout,
      signal,
      account: step.account,
    });
    const file = {
      // What one user may read, another may not.
      key: `${step.user ?? ""}@${item.uri}`,
      name: item.sourceName.replace(/[^\w.-]/g, "_"),
      size: async (signal: AbortSignal): Promise<number> => {
        if (fetcher.size === undefined)
          throw new Error(`the size of '${item.scheme}' URIs cannot be asked for`);
        return fetcher.size(source(signal));
      },
      download: (destination: string, signal: AbortSignal) =>
        fetcher.fetch({ ...source(signal), destination }),
    };
    return this.options.cache.get(file, step.signal);
  }

  /** As Mesos does, the archive stays beside its content. */
  private async fetchDirectly(item: FetchItem, fetcher: Fetcher, step: Step): Promise<void> {
    const staged = join(step.staging, "fetched");
    await fetcher.fetch({
      uri: item.uri,
      destination: staged,
      stallTimeout: this.options.stallTimeout,
      signal: step.signal,
      account: step.account,
    });
    // Nobody else can enter the staging directory.
    await chmod(staged, 0o444);
    const target = await copy(item, staged, step);
    await rm(staged);
    const unpacking = item.extract ? unpackingOf(item.name, target) : undefined;
    if (unpacking !== undefined) await run(item, step, unpackingProgram(unpacking));
  }

  /** As Mesos does, an archive is unpacked from where it is, and told by the name that it has there. */
  private async takeFromCache(item: FetchItem, { path }: CachedFile, step: Step): Promise<void> {
    const unpacking = item.extract ? unpackingOf(item.sourceName, INPUT) : undefined;
    if (unpacking === undefined) await copy(item, path, step);
    else await run(item, step, { ...unpackingProgram(unpacking), input: path });
  }
}

/** Returns where the file is. */
async function copy(item: FetchItem, from: string, step: Step): Promise<string> {
  const mode = item.executable ? "755" : "644";
  await run(item, step, { command: ["sh", "-c", COPY, "sh", item.name, mode], input: from });
  return join(step.request.directory, item.name);
}

const run = (
  { uri }: FetchItem,
  { request: { directory }, account, signal }: Step,
  task: Pick<SandboxProgram, "command" | "name" | "input">,
): Promise<void> => runInSandbox({ ...task, uri, directory, account, signal });
