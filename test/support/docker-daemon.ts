import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createWriteStream, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, readlink, rm, rmdir, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { isAlive, readProcessStat } from "../../sdk/proc/index.js";
import { eventually } from "./eventually.js";
import { requirePart, requireThat, type Skippable } from "./require-part.js";

const run = promisify(execFile);

/**
 * A Docker daemon of one test file: with its own network and mount namespaces, so that neither bridges, iptables rules nor mounts are
 * seen by anyone else, and all of them go with its last process.
 */
export interface DockerDaemon {
  /** Path of its API's socket. */
  readonly socket: string;
  /** A directory for whatever the test wants to keep; removed with the daemon. */
  readonly directory: string;
  /** Puts words in front of a command so that it runs in the daemon's network: `127.0.0.1` is that of its containers' published ports. */
  inNetwork(command: readonly string[]): readonly [string, ...string[]];
  /** Makes an image out of a directory. `changes` are lines of a Dockerfile: `CMD`, `ENV`, `ENTRYPOINT`, ... */
  importImage(name: string, rootfs: string, changes?: readonly string[]): Promise<void>;
  /** Asks its API; the answer is text. Rejects for statuses of 400 and more. */
  api(
    method: string,
    path: string,
    body?: NodeJS.ReadableStream | object,
    headers?: Readonly<Record<string, string>>,
  ): Promise<string>;
  /** Ends dockerd alone, with this signal; resolves when it is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Starts dockerd again, after `end`. */
  restart(): Promise<void>;
  /** Ends it with all its containers, and removes everything. */
  stop(): Promise<void>;
}

export interface DockerDaemonOptions {
  /** Containers go on while dockerd is away. */
  readonly liveRestore?: boolean;
}

/** Resolves when its API answers. Skips the test where dockerd is missing. */
export async function startDockerDaemon(
  test: Skippable,
  options: DockerDaemonOptions = {},
): Promise<DockerDaemon> {
  const dockerd = requirePart(test, "dockerd", "docker.io");
  requirePart(test, "iptables", "iptables");
  requirePart(test, "nsenter", "util-linux");
  requireThat(test, process.getuid?.() === 0, "the Docker daemon needs root");
  // Short: paths of sockets are limited.
  const directory = await mkdtemp(join(tmpdir(), "tpd-"));
  const daemon = new PrivateDocker(dockerd, directory, options);
  try {
    await daemon.open();
  } catch (error) {
    await daemon.stop();
    throw error;
  }
  return daemon;
}

class PrivateDocker implements DockerDaemon {
  readonly socket: string;
  private holder: ChildProcess | undefined;
  private dockerd: ChildProcess | undefined;
  private readonly cgroup: string;

  constructor(
    private readonly program: string,
    readonly directory: string,
    private readonly options: DockerDaemonOptions,
  ) {
    this.socket = join(directory, "d.sock");
    this.cgroup = `tepui-docker-${directory.slice(-6)}`;
  }

  async open(): Promise<void> {
    // Otherwise it reads the host's.
    await writeFile(join(this.directory, "daemon.json"), "{}");
    // Holds the namespaces, so that dockerd can end and come back to the same ones.
    const script = "ip link set lo up && echo ready && exec sleep infinity";
    this.holder = spawn("unshare", ["--net", "--mount", "--propagation", "slave", "sh", "-c", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise<void>((resolve, reject) => {
      this.holder!.stdout!.once("data", () => resolve());
      this.holder!.once("exit", (code) => reject(new Error(`no namespaces for dockerd: exit ${code}`)));
    });
    await this.restart();
  }

  inNetwork(command: readonly string[]): readonly [string, ...string[]] {
    return ["nsenter", "--net", "--target", String(this.holder!.pid), "--", ...command];
  }

  async restart(): Promise<void> {
    const { directory } = this;
    const at = (name: string): string => join(directory, name);
    const child = spawn(
      "nsenter",
      [
        ...["--net", "--mount", "--target", String(this.holder!.pid), "--", this.program],
        ...["--host", `unix://${this.socket}`, "--pidfile", at("d.pid")],
        ...["--data-root", at("data"), "--exec-root", at("exec"), "--config-file", at("daemon.json")],
        ...["--storage-driver", "overlay2", "--exec-opt", "native.cgroupdriver=cgroupfs"],
        ...["--cgroup-parent", `/${this.cgroup}`, "--bip", "172.29.0.1/24", "--log-level", "warn"],
        ...(this.options.liveRestore === true ? ["--live-restore"] : []),
      ],
      { stdio: ["ignore", "pipe", "pipe"], detached: true },
    );
    const log = createWriteStream(at("dockerd.log"), { flags: "a" });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    this.dockerd = child;
    const ended = new Promise<never>((_, reject) => {
      child.once("exit", () =>
        reject(new Error(`dockerd ended: ${readFileSync(at("dockerd.log"), "utf8").slice(-2000)}`)),
      );
    });
    await Promise.race([eventually(() => this.api("GET", "/_ping"), 30_000), ended]);
    // From here on its end is no surprise.
    ended.catch(() => undefined);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.dockerd;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await gone;
    if (signal === "SIGKILL") await this.buryContainerd();
  }

  /** It dies with dockerd; where nobody reaps it, the next dockerd would take its corpse for a living one. */
  private async buryContainerd(): Promise<void> {
    const file = join(this.directory, "exec", "containerd", "containerd.pid");
    const pid = Number(await readFile(file, "utf8").catch(() => "0"));
    if (pid === 0) return;
    await eventually(() => (isAlive(readProcessStat(pid)) ? undefined : true));
    await rm(file, { force: true });
  }

  async api(
    method: string,
    path: string,
    body?: NodeJS.ReadableStream | object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const options = { socketPath: this.socket, headers: { "content-type": "application/json", ...headers } };
    return new Promise((resolve, reject) => {
      const asked = request({ ...options, method, path, agent: false }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          if ((answer.statusCode ?? 500) < 400) resolve(text);
          else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
        });
      });
      asked.on("error", reject);
      if (body === undefined) asked.end();
      else if ("pipe" in body) body.pipe(asked);
      else asked.end(JSON.stringify(body));
    });
  }

  async importImage(name: string, rootfs: string, changes: readonly string[] = []): Promise<void> {
    const tar = spawn("tar", ["-C", rootfs, "-c", "."], { stdio: ["ignore", "pipe", "inherit"] });
    const [repo, tag = "latest"] = name.split(/:(?=[^/:]*$)/);
    const query = new URLSearchParams([
      ["fromSrc", "-"],
      ["repo", repo!],
      ["tag", tag],
      ...changes.map((change): [string, string] => ["changes", change]),
    ]);
    const answer = await this.api("POST", `/images/create?${query}`, tar.stdout);
    if (answer.includes('"error"')) throw new Error(answer);
  }

  async stop(): Promise<void> {
    await this.removeContainers().catch(() => undefined);
    await this.end("SIGTERM");
    const namespace =
      this.holder?.pid === undefined
        ? undefined
        : await readlink(`/proc/${this.holder.pid}/ns/mnt`).catch(() => undefined);
    if (namespace !== undefined) await endAllIn(namespace);
    await removeCgroups(this.cgroup);
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  private async removeContainers(): Promise<void> {
    if (this.dockerd?.exitCode !== null) return;
    const all = JSON.parse(await this.api("GET", "/containers/json?all=1")) as { Id: string }[];
    // More at once than it can do in time end in time-outs.
    const removeRest = async (): Promise<void> => {
      for (let one = all.pop(); one !== undefined; one = all.pop())
        await this.api("DELETE", `/containers/${one.Id}?force=1&v=1`).catch(() => undefined);
    };
    await Promise.all(Array.from({ length: 16 }, removeRest));
  }
}

/** Whatever is left in the daemon's mount namespace: containerd, shims, the process that holds the namespaces. */
async function endAllIn(namespace: string): Promise<void> {
  await eventually(async () => {
    let left = 0;
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      if ((await readlink(`/proc/${pid}/ns/mnt`).catch(() => undefined)) !== namespace) continue;
      left++;
      end(Number(pid));
    }
    return left === 0 ? true : undefined;
  });
}

/** With the processes of containers that nobody ended. */
async function removeCgroups(name: string): Promise<void> {
  const root = "/sys/fs/cgroup";
  for (const controller of await readdir(root)) {
    const top = join(root, controller, name);
    const groups = await readdir(top, { withFileTypes: true }).catch(() => []);
    const all = [...groups.filter((entry) => entry.isDirectory()).map((entry) => join(top, entry.name)), top];
    for (const group of all) {
      const processes = await readFile(join(group, "cgroup.procs"), "utf8").catch(() => "");
      for (const pid of processes.split("\n").filter(Boolean)) end(Number(pid));
      await eventually(() => rmdir(group).then(yes, isGone));
    }
  }
}

const yes = () => true as const;

/** Busy for as long as a process of it is ending. */
function isGone(error: NodeJS.ErrnoException): true | undefined {
  return error.code === "EBUSY" ? undefined : true;
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It was faster.
  }
}

/** Runs a command to its end; what it wrote. */
export async function output(command: readonly [string, ...string[]]): Promise<string> {
  const [program, ...argv] = command;
  return (await run(program, argv)).stdout;
}
