import { type Daemon, startDaemon } from "./daemons.js";
import { until } from "./until.js";

export { until } from "./until.js";

/** One real master with real agents, on free ports, for system tests. */
export interface Cluster {
  readonly master: Daemon;
  readonly agents: readonly Daemon[];
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly agents?: number;
  readonly masterFlags?: readonly string[];
  readonly agentFlags?: readonly string[];
}

/** Resolves when every agent is registered. Offers come every 50 ms, so that tests need not wait for them. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const count = options.agents ?? 1;
  const master = await startDaemon("mesos-master", [
    "--allocation_interval=50ms",
    ...(options.masterFlags ?? []),
  ]);
  const agents: Daemon[] = [];
  const stop = async () => {
    await Promise.all(agents.map((agent) => agent.stop()));
    await master.stop();
  };
  try {
    for (let i = 0; i < count; i++) {
      agents.push(
        await startDaemon("mesos-agent", [
          `--master=127.0.0.1:${master.port}`,
          "--resources=cpus:4;mem:4096;disk:4096;ports:[31000-31999]",
          "--registration_backoff_factor=10ms",
          ...(options.agentFlags ?? []),
        ]),
      );
    }
    let registered = 0;
    await until(
      async () => {
        const { slaves } = (await getJson(master, "/slaves")) as { slaves: unknown[] };
        registered = slaves.length;
        return registered === count;
      },
      { what: `${count} agents to register`, seen: () => `${registered}` },
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { master, agents, stop };
}

export async function getJson(daemon: Pick<Daemon, "port">, path: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${daemon.port}${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}
