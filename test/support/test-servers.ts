/** Servers of other makers, as real processes on loopback, for system tests: killed, frozen and started again with the same files. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "./require-part.js";

export interface TestServer {
  readonly port: number;
  /** `127.0.0.1:port` */
  readonly address: string;
  readonly running: boolean;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT: silent, with its connections open. */
  freeze(): void;
  thaw(): void;
  /** After `kill`, with the same files. */
  start(): void;
}

/** Several that know each other. */
export interface TestServers<S extends TestServer = TestServer> {
  readonly nodes: readonly S[];
  /** `host:port,host:port` */
  readonly servers: string;
  /** Resolves when they serve. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServerProcessOptions {
  readonly port: number;
  /** Where it runs; exists. */
  readonly home: string;
  readonly command: readonly string[];
}

export class ServerProcess implements TestServer {
  readonly port: number;
  private child: ChildProcess | undefined;

  constructor(private readonly options: ServerProcessOptions) {
    this.port = options.port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get running(): boolean {
    return this.child !== undefined;
  }

  start(): void {
    const { home, command } = this.options;
    // To a file: a pipe would end with this process before the server does.
    const log = openSync(join(home, "log"), "a");
    // A test run that crashes takes its servers with it.
    const bound = findProgram("setpriv") === undefined ? [] : ["setpriv", "--pdeathsig", "KILL"];
    const [program, ...args] = [...bound, ...command];
    this.child = spawn(program!, args, { stdio: ["ignore", log, log], cwd: home });
    closeSync(log);
  }

  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await exited;
  }

  freeze(): void {
    this.child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.child?.kill("SIGCONT");
  }

  log(): string {
    const path = join(this.options.home, "log");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }
}

export interface StartOptions<S extends ServerProcess> {
  /** As errors name them. */
  readonly engine: string;
  /** With all their files; removed by `stop`. */
  readonly folder: string;
  readonly nodes: readonly S[];
  readonly ready: () => Promise<void>;
}

/** Resolves when they serve; what they logged is the error when they do not. */
export async function startServers<S extends ServerProcess>({
  engine,
  folder,
  nodes,
  ready,
}: StartOptions<S>): Promise<TestServers<S>> {
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.kill()));
    rmSync(folder, { recursive: true, force: true });
  };
  for (const node of nodes) node.start();
  try {
    await ready();
  } catch (error) {
    const logs = nodes.map((node) => node.log()).join("\n");
    await stop();
    throw new Error(`${engine} does not start:\n${logs.slice(-4000)}`, { cause: error });
  }
  return { nodes, servers: nodes.map(({ address }) => address).join(","), ready, stop };
}
