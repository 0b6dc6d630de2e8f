import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./daemons.js";
import { eventually } from "./eventually.js";

/** A real registry server on loopback, with a storage of its own. */
export class DockerRegistry {
  private constructor(
    private readonly child: ChildProcess,
    private readonly directory: string,
    /** `127.0.0.1:port` */
    readonly host: string,
  ) {}

  get origin(): string {
    return `http://${this.host}`;
  }

  /**
   * @param program path of docker-registry
   * @param htpasswd lines of a password file (bcrypt): the registry asks for Basic credentials
   */
  static async start(program: string, htpasswd?: string): Promise<DockerRegistry> {
    const directory = await mkdtemp(join(tmpdir(), "tepui-registry-"));
    const host = `127.0.0.1:${await freePort()}`;
    const config = {
      version: 0.1,
      log: { level: "error" },
      storage: { filesystem: { rootdirectory: join(directory, "data") }, delete: { enabled: true } },
      http: { addr: host },
      ...(htpasswd !== undefined && {
        auth: { htpasswd: { realm: "test", path: join(directory, "htpasswd") } },
      }),
    };
    if (htpasswd !== undefined) await writeFile(join(directory, "htpasswd"), htpasswd);
    // JSON is YAML.
    await writeFile(join(directory, "config.yml"), JSON.stringify(config));
    const child = spawn(program, ["serve", join(directory, "config.yml")], { stdio: "ignore" });
    const registry = new DockerRegistry(child, directory, host);
    try {
      await eventually(async () => {
        if (child.exitCode !== null) throw new Error(`docker-registry ended with ${child.exitCode}`);
        return (await fetch(`${registry.origin}/v2/`)).status;
      }, 30_000);
    } catch (error) {
      await registry.stop();
      throw error;
    }
    return registry;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = new Promise((resolve) => this.child.once("close", resolve));
      this.child.kill("SIGKILL");
      await ended;
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}
