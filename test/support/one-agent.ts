import { type Cluster, startCluster } from "./cluster.js";
import type { Daemon } from "./daemons.js";
import { endCgroups } from "./end-cgroups.js";
import { agentsBack, Runner } from "./runner.js";

let count = 0;

/** A real master, a real agent with a cgroup root of its own, and a framework that runs what it is told to. */
export class OneAgent {
  private constructor(
    readonly runner: Runner,
    private current: Daemon,
    readonly cluster: Cluster,
    private readonly cgroupRoot: string,
  ) {}

  /** @param flags of the agent */
  static async open(flags: readonly string[]): Promise<OneAgent> {
    const cgroupRoot = `tepui-agent-${process.pid}-${count++}`;
    const cluster = await startCluster({ agentFlags: [...flags, `--cgroups_root=${cgroupRoot}`] });
    const host = new OneAgent(new Runner(cluster), cluster.agents[0]!, cluster, cgroupRoot);
    try {
      await host.runner.start();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return host;
  }

  get agent(): Daemon {
    return this.current;
  }

  /** Ends the agent with SIGKILL, and starts it again. */
  async kill(): Promise<void> {
    await this.current.kill();
    await this.start();
  }

  /** Starts the agent again, after it was killed. */
  async start(): Promise<void> {
    this.current = await this.current.restart();
  }

  /** Resolves when the master knows the agent, and what is launched on it arrives. */
  async registered(): Promise<void> {
    await agentsBack(this.cluster.master);
  }

  async close(): Promise<void> {
    await this.runner.stop();
    await this.current.stop();
    await this.cluster.stop();
    await endCgroups(this.cgroupRoot);
  }
}
