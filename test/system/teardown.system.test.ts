import { expect } from "chai";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { isTerminal } from "../../sdk/task-states.js";
import { AllKinds } from "../support/all-kinds.js";
import { getJson, until } from "../support/cluster.js";
import { CniHost, PLUGINS, unmountNetworks } from "../support/cni-host.js";
import { ContainerHost, FULL_ISOLATION } from "../support/container-host.js";
import { ContainerTraces } from "../support/container-traces.js";
import type { Daemon } from "../support/daemons.js";
import { requirePart, requireThat } from "../support/require-part.js";

interface State {
  readonly frameworks: readonly { readonly id: string; readonly executors: readonly unknown[] }[];
  readonly completed_frameworks: readonly { readonly id: string }[];
}

/** A container that is looked into; `over` resolves when nobody is let look any more. */
interface Session {
  readonly over: Promise<void>;
}

const stateOf = async (daemon: Daemon): Promise<State> => (await getJson(daemon, "/state")) as State;

const idsOf = (frameworks: readonly { readonly id: string }[]): string[] => frameworks.map(({ id }) => id);

describe("nothing is left of a framework with containers of all kinds", function () {
  this.timeout(120_000);
  let network: CniHost | undefined;
  let host: ContainerHost | undefined;
  let traces: ContainerTraces;
  let current: AllKinds | undefined;

  before(async function () {
    requireThat(this, process.geteuid?.() === 0, "networks need root");
    for (const plugin of ["bridge", "host-local"]) requirePart(this, plugin, "containernetworking-plugins");
    network = await CniHost.open(this);
    await network.configure("a.conf", { cniVersion: "0.3.1", name: "alpha", ...network.bridgePlugin("a") });
    host = await ContainerHost.open(this, {
      isolation: [...FULL_ISOLATION, "network/cni"],
      flags: [`--network_cni_config_dir=${network.configs}`, `--network_cni_plugins_dir=${PLUGINS}`],
    });
    traces = await ContainerTraces.of(host.agent, host.cgroupRoot);
  });
  // Also after a test that failed: what runs in the network would keep it.
  afterEach(() => current?.client.close({ teardown: true }));
  after(async () => {
    if (host !== undefined) await unmountNetworks(host.agent);
    await host?.close();
    await network?.close();
  });

  /** Looks into a container of a task, through a terminal, for as long as it may. */
  async function look(kinds: AllKinds, name: string, value: string): Promise<Session> {
    const { container_status } = kinds.updates.find(
      ({ task_id, state }) => task_id?.value === name && state === TaskState.TASK_RUNNING,
    )!;
    const response = await fetch(`http://127.0.0.1:${host!.agent.port}/api/v1`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/recordio",
        "message-accept": "application/json",
      },
      body: JSON.stringify({
        type: "LAUNCH_NESTED_CONTAINER_SESSION",
        launch_nested_container_session: {
          container_id: { value, parent: container_status!.container_id },
          command: { value: "echo here; sleep 1000" },
          container: { type: "MESOS", tty_info: {} },
        },
      }),
    });
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    const reader = response.body!.getReader();
    // Its first byte: it runs.
    await reader.read();
    const rest = async (): Promise<void> => {
      while (!(await reader.read()).done);
    };
    // Cut off by the death of the agent is over, too.
    return { over: rest().catch(() => undefined) };
  }

  /** All of them run, and two are looked into. */
  async function everything(
    failoverTimeout = 60,
  ): Promise<{ kinds: AllKinds; sessions: Session[]; id: string }> {
    const kinds = new AllKinds(host!, { network: "alpha", failoverTimeout });
    current = kinds;
    await kinds.run();
    const sessions = await Promise.all([
      look(kinds, "boxed", "session-in-boxed"),
      look(kinds, "one", "session-in-one"),
    ]);
    const found = await traces.left();
    for (const kind of ["process", "group", "socket", "file"])
      expect(
        found.some((line) => line.startsWith(kind)),
        `${kind} while it runs`,
      ).to.equal(true);
    expect(await network!.traces(), "in the network").to.have.length.greaterThan(3);
    return { kinds, sessions, id: kinds.client.frameworkId! };
  }

  async function nothing({ sessions }: { sessions: readonly Session[] }): Promise<void> {
    await traces.gone();
    await Promise.all(sessions.map(({ over }) => over));
    await until(async () => (await network!.traces()).length === 0);
    await until(async () => ((await getJson(host!.agent, "/containers")) as unknown[]).length === 0);
    await until(async () => {
      const { slaves } = (await getJson(host!.cluster.master, "/slaves")) as {
        slaves: { used_resources: { cpus: number; mem: number } }[];
      };
      const used = slaves.map(({ used_resources: { cpus, mem } }) => [cpus, mem]);
      return used.length === 1 && used.flat().every((amount) => amount === 0);
    });
  }

  /** Master and agent agree that it was. */
  async function completed(id: string): Promise<void> {
    for (const daemon of [host!.cluster.master, host!.agent]) {
      await until(async () => {
        const { frameworks, completed_frameworks: over } = await stateOf(daemon);
        return !idsOf(frameworks).includes(id) && idsOf(over).includes(id);
      });
    }
  }

  it("that is torn down", async () => {
    const all = await everything();
    await all.kinds.client.teardown();
    await nothing(all);
    await completed(all.id);
  });

  it("whose time to come back is over", async () => {
    const all = await everything(0.2);
    await all.kinds.client.close();
    await nothing(all);
    await completed(all.id);
  });

  it("that is torn down while the agent is away", async () => {
    const all = await everything();
    await host!.agent.kill();
    await all.kinds.client.teardown();
    host!.agent = await host!.agent.restart();
    await nothing(all);
    await completed(all.id);
  });

  it("that is torn down, where the agent is killed over it", async () => {
    const all = await everything();
    await all.kinds.client.teardown();
    // The first containers have ended.
    await Promise.race(all.sessions.map(({ over }) => over));
    await host!.kill();
    await nothing(all);
    await completed(all.id);
  });

  it("that shuts its executors down", async () => {
    const all = await everything();
    const { client, executors, agentId, updates } = all.kinds;
    await Promise.all(executors.map((executorId) => client.shutdown({ agentId, executorId })));
    const names = new Set(updates.map(({ task_id }) => task_id!.value!));
    await until(() => [...names].every((name) => isTerminal(all.kinds.last(name))));
    await nothing(all);
    // The framework is still there, with nothing.
    await until(async () => {
      const { frameworks } = await stateOf(host!.cluster.master);
      return frameworks.find(({ id }) => id === all.id)?.executors.length === 0;
    });
    await until(async () => (await stateOf(host!.agent)).frameworks.length === 0);
  });
});
