import type { IncomingMessage } from "node:http";
import type Dockerode from "dockerode";
import type { CreateBody, ResourceSettings } from "./api-types.js";
import { EngineError, engineError } from "./engine-error.js";

/** What the engine knows of a container. */
export interface ContainerFacts {
  readonly running: boolean;
  /** Made, and never started. */
  readonly created: boolean;
  /** As the host sees it; 0 when it does not run. */
  readonly pid: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Of the last start that failed. */
  readonly error: string;
  /** Milliseconds since the epoch. */
  readonly finishedAt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly tty: boolean;
  readonly logDriver: string;
  /** As its image or its framework names it, e.g. `SIGQUIT`. */
  readonly stopSignal: string | undefined;
  /** What it was given; absent: no limit. */
  readonly settings: ResourceSettings;
  /** Of its first network: IPv4, then IPv6, where it has them. */
  readonly addresses: readonly string[];
}

export interface ContainerDescription {
  readonly facts: ContainerFacts;
  readonly json: string;
}

/** One line of the engine's list. */
export interface ListedContainer {
  /** The engine's own. */
  readonly handle: string;
  /** Without a leading slash. */
  readonly name: string;
  /** `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead` */
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly serveraddress: string;
}

/** A command that was started in a container. */
export interface EngineExec {
  /** Ends with it. */
  readonly output: IncomingMessage;
  /** `pid` as the engine's host sees it; `exitCode` is undefined while it runs. */
  inspect(): Promise<{ readonly exitCode: number | undefined; readonly pid: number }>;
}

/** Where to begin in a container's log. */
export interface LogPlace {
  /** `seconds.nanoseconds`; absent: from its beginning. */
  readonly since?: string | undefined;
  /** Each message begins with its time. */
  readonly timestamps: boolean;
}

/**
 * The Docker engine behind a socket. All failures are EngineErrors. Calls that the engine does not answer because it ended are
 * rejected as soon as `abandon` says that it did.
 */
export class Engine {
  private readonly pending = new Set<(error: EngineError) => void>();
  private docker!: Dockerode;

  /** @param socket path of its API */
  constructor(readonly socket: string) {}

  /** Gets ready to ask; nothing is asked yet. Once, before any other method. */
  async prepare(): Promise<void> {
    // Here, since an agent without Docker should not have to wait for it. Without an agent of its own: at each question docker-modem
    // would walk through all its sockets to describe it for a log that nobody reads.
    const { default: Docker } = await import("dockerode");
    this.docker = new Docker({ socketPath: this.socket });
  }

  /** The engine is gone: no answer to what was asked will come. */
  abandon(): void {
    const error = new EngineError("unreachable", `the Docker daemon at ${this.socket} went away`);
    for (const reject of [...this.pending]) reject(error);
    this.pending.clear();
  }

  /** Gives the engine's own id: whoever renames the container does not change that. All that asks for one takes it in place of a name. */
  async create(name: string, body: CreateBody): Promise<string> {
    // Said apart, or dockerode repeats the body in the query.
    const options = { _query: { name }, _body: body } as unknown as Dockerode.ContainerCreateOptions;
    const { id } = await this.ask(() => this.docker.createContainer(options));
    return id;
  }

  async start(name: string): Promise<void> {
    await this.ask(() => this.docker.getContainer(name).start());
  }

  async kill(name: string, signal: number | string): Promise<void> {
    await this.ask(() => this.docker.getContainer(name).kill({ signal }));
  }

  /** SIGTERM, and SIGKILL after these seconds; resolves when it has ended. */
  async stop(name: string, seconds: number): Promise<void> {
    await this.ask(() => this.docker.getContainer(name).stop({ t: seconds }));
  }

  /** With its anonymous volumes; also one that runs. Nothing happens when there is none. */
  async remove(name: string): Promise<void> {
    await this.ask(() => this.docker.getContainer(name).remove({ force: true, v: true })).catch(
      (error: EngineError) => {
        // The latter: it is being removed already.
        if (error.failure !== "missing" && error.failure !== "conflict") throw error;
      },
    );
  }

  /** Starts a command in a running container; its output is thrown away. Gives the id by which its end can be asked for. */
  async exec(
    name: string,
    command: { readonly argv: readonly string[]; readonly env: readonly string[] },
  ): Promise<EngineExec> {
    const options = { Cmd: [...command.argv], Env: [...command.env], AttachStdout: true, AttachStderr: true };
    const exec = await this.ask(() => this.docker.getContainer(name).exec(options));
    const output = await this.ask(() => exec.start({ hijack: false, stdin: false }));
    return {
      output: output as unknown as IncomingMessage,
      inspect: async () => {
        const { Running, ExitCode, Pid } = await this.ask(() => exec.inspect());
        return { exitCode: Running ? undefined : (ExitCode ?? undefined), pid: Pid };
      },
    };
  }

  async update(name: string, settings: ResourceSettings): Promise<void> {
    await this.ask(() => this.docker.getContainer(name).update(settings));
  }

  async inspect(name: string): Promise<ContainerFacts> {
    return factsOf(await this.known(name));
  }

  /** With all that the engine knows, as JSON text. */
  async describe(name: string): Promise<ContainerDescription> {
    const known = await this.known(name);
    return { facts: factsOf(known), json: JSON.stringify(known) };
  }

  async list(label: string, state?: string): Promise<ListedContainer[]> {
    const filters = { label: [label], ...(state !== undefined && { status: [state] }) };
    const found = await this.ask(() =>
      this.docker.listContainers({ all: true, filters: JSON.stringify(filters) }),
    );
    return found.map(({ Id, Names, State, Labels }) => ({
      handle: Id,
      name: (Names[0] ?? "").replace(/^\//, ""),
      state: State,
      labels: Labels ?? {},
    }));
  }

  /** Goes on until the container ends. */
  async logs(name: string, { since, timestamps }: LogPlace): Promise<IncomingMessage> {
    const options = {
      follow: true as const,
      stdout: true,
      stderr: true,
      timestamps,
      ...(since !== undefined && { since }),
    };
    return (await this.ask(() => this.docker.getContainer(name).logs(options))) as IncomingMessage;
  }

  /** What it writes from now on; for logs that cannot be read back. */
  async attach(name: string): Promise<IncomingMessage> {
    const options = { stream: true, stdout: true, stderr: true };
    const stream = await this.ask(() => this.docker.getContainer(name).attach(options));
    return stream as unknown as IncomingMessage;
  }

  async events(label: string, signal: AbortSignal): Promise<IncomingMessage> {
    const filters = JSON.stringify({ type: ["container"], label: [label], event: ["start", "die", "oom"] });
    const options = { filters, abortSignal: signal } as Dockerode.GetEventsOptions;
    return (await this.ask(() => this.docker.getEvents(options))) as IncomingMessage;
  }

  /** Its progress, a JSON text a line. */
  async pull(
    image: { readonly name: string; readonly tag: string },
    options: { readonly auth: RegistryAuth | undefined; readonly signal: AbortSignal },
  ): Promise<IncomingMessage> {
    const query = { fromImage: image.name, tag: image.tag, abortSignal: options.signal };
    const { auth } = options;
    const asked = () =>
      auth === undefined ? this.docker.createImage(query) : this.docker.createImage({ ...auth }, query);
    return (await this.ask(asked)) as IncomingMessage;
  }

  private known(name: string): Promise<Dockerode.ContainerInspectInfo> {
    return this.ask(() => this.docker.getContainer(name).inspect());
  }

  private ask<T>(question: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.pending.add(reject);
      question().then(
        (answer) => {
          this.pending.delete(reject);
          resolve(answer);
        },
        (error: unknown) => {
          this.pending.delete(reject);
          reject(engineError(error, this.socket));
        },
      );
    });
  }
}

function factsOf({
  State,
  Config,
  HostConfig,
  NetworkSettings,
}: Dockerode.ContainerInspectInfo): ContainerFacts {
  const network = Object.values(NetworkSettings.Networks ?? {})[0];
  const addresses = [network?.IPAddress, network?.GlobalIPv6Address];
  const { StopSignal: stopSignal } = Config as { StopSignal?: string };
  return {
    running: State.Running,
    created: State.Status === "created",
    pid: State.Pid,
    exitCode: State.ExitCode,
    oomKilled: State.OOMKilled,
    error: State.Error,
    finishedAt: Date.parse(State.FinishedAt),
    labels: Config.Labels ?? {},
    tty: Config.Tty,
    logDriver: HostConfig.LogConfig?.Type ?? "",
    stopSignal: stopSignal === "" ? undefined : stopSignal,
    settings: settingsOf(HostConfig),
    addresses: addresses.filter((address): address is string => address !== undefined && address !== ""),
  };
}

/** Zero stands for none. */
function settingsOf(host: Dockerode.HostConfig): ResourceSettings {
  const names = ["CpuShares", "CpuPeriod", "CpuQuota", "Memory", "MemoryReservation", "MemorySwap"] as const;
  return Object.fromEntries(names.flatMap((name) => (host[name] ? [[name, host[name]]] : [])));
}
