import { expect } from "chai";
import { type MasterInfo, TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { jsonOf } from "../../proto/json/index.js";
import { SystemClock } from "../../sdk/contracts/system-clock.js";
import { SystemRandom } from "../../sdk/contracts/system-random.js";
import { resourceList, SchedulerClient } from "../../sdk/index.js";
import { MemoryLogger } from "../../sdk/testing/memory-logger.js";
import { parseZooKeeperUrl, ZooKeeperClient } from "../../sdk/zookeeper/index.js";
import { getJson } from "../support/cluster.js";
import { type Daemon, startDaemon } from "../support/daemons.js";
import { eventually } from "../support/eventually.js";
import { type Ensemble, requireZooKeeper, startEnsemble } from "../support/zookeeper-ensemble.js";

const LIMIT_MS = 60_000;

interface State {
  readonly frameworks: readonly {
    readonly id: string;
    readonly active: boolean;
    readonly tasks: readonly { readonly id: string; readonly state: string }[];
  }[];
}

describe("three masters, one agent, one ensemble", function () {
  this.timeout(300_000);
  let ensemble: Ensemble;
  let url: string;
  const daemons: Daemon[] = [];

  before(async function () {
    requireZooKeeper(this);
    ensemble = await startEnsemble(3);
    url = `zk://user:secret@${ensemble.servers}/mesos`;
  });
  after(async () => {
    for (const { process } of daemons) process.kill("SIGCONT");
    await Promise.all(daemons.map((daemon) => daemon.stop()));
    await ensemble?.stop();
  });

  /** What a master answers where it leads; undefined where it does not. */
  async function slaves(master: Daemon): Promise<readonly { id: string; active: boolean }[] | undefined> {
    const target = `http://127.0.0.1:${master.port}/master/slaves`;
    const response = await fetch(target, { redirect: "manual", signal: AbortSignal.timeout(5000) });
    if (response.status !== 200) return undefined;
    return ((await response.json()) as { slaves: { id: string; active: boolean }[] }).slaves;
  }

  /** The one that leads, with the agent active. */
  const leader = (among: readonly Daemon[]) =>
    eventually(async () => {
      for (const master of among) {
        const found = await slaves(master).catch(() => undefined);
        if (found?.some(({ active }) => active)) return { master, agent: found[0]!.id };
      }
      return undefined;
    }, LIMIT_MS);

  const redirect = async (master: Daemon) => {
    const response = await fetch(`http://127.0.0.1:${master.port}/master/slaves`, { redirect: "manual" });
    return response.status === 307 ? response.headers.get("location") : undefined;
  };

  it("hand the leadership on when the leader is killed or stands still, with the same agent and its tasks", async () => {
    const flags = [`--zk=${url}`, "--zk_session_timeout=6secs", "--quorum=2", "--hostname=127.0.0.1"];
    const masters = await Promise.all([1, 2, 3].map(() => startDaemon("mesos-master", flags)));
    daemons.push(...masters);
    const agent = await startDaemon("mesos-agent", [
      `--master=${url}`,
      "--zk_session_timeout=6secs",
      "--registration_backoff_factor=10ms",
      "--resources=cpus:4;mem:4096",
    ]);
    daemons.push(agent);
    const first = await leader(masters);
    const others = masters.filter((master) => master !== first.master);
    for (const standby of others) {
      expect(await eventually(() => redirect(standby), LIMIT_MS)).to.equal(
        `//127.0.0.1:${first.master.port}/master/slaves`,
      );
    }
    await found(first.master.port);

    const framework = await launch(masters);
    const { frameworkId } = framework;
    await first.master.kill();
    const second = await leader(others);
    expect(second.agent).to.equal(first.agent);
    expect(await running(second.master)).to.deep.equal(["sleeper TASK_RUNNING"]);
    await found(second.master.port);

    // It does not die: it is deposed while it cannot know.
    await subscribed(second.master, frameworkId);
    const third = others.find((master) => master !== second.master)!;
    second.master.process.kill("SIGSTOP");
    const last = await leader([third]);
    expect(last.agent).to.equal(first.agent);
    expect(await running(third)).to.deep.equal(["sleeper TASK_RUNNING"]);
    // The framework's stream hangs from a master that says nothing, and keeps the connection open.
    await subscribed(third, frameworkId);
    second.master.process.kill("SIGCONT");
    expect(await eventually(() => redirect(second.master), LIMIT_MS)).to.equal(
      `//127.0.0.1:${third.port}/master/slaves`,
    );
    expect((await slaves(third))?.map(({ id }) => id)).to.deep.equal([first.agent]);
    await framework.teardown();
  });

  const subscribed = (master: Daemon, id: string | undefined) =>
    eventually(async () => {
      const { frameworks } = (await getJson(master, "/master/state")) as State;
      return frameworks.find((each) => each.id === id && each.active);
    }, LIMIT_MS);

  /** As tools find the leader: the lowest number, read without credentials. */
  async function found(port: number): Promise<void> {
    const { servers } = parseZooKeeperUrl(`zk://${ensemble.servers}/mesos`);
    const client = new ZooKeeperClient({
      servers,
      sessionTimeout: 4000,
      clock: new SystemClock(),
      random: new SystemRandom(),
      logger: new MemoryLogger(),
    });
    client.start();
    try {
      const names = await eventually(() => client.getChildren("/mesos"), LIMIT_MS);
      const [lowest] = names.filter((name) => name.startsWith("json.info_")).sort();
      const { data } = await client.getData(`/mesos/${lowest}`);
      const info: MasterInfo = jsonOf("mesos.v1.MasterInfo").read(data.toString());
      expect(info).to.deep.include({ port, pid: `master@127.0.0.1:${port}` });
      expect(info.address).to.deep.equal({ hostname: "127.0.0.1", ip: "127.0.0.1", port });
    } finally {
      await client.close();
    }
  }

  /** A framework that knows all masters, and one task of it that stays. */
  async function launch(masters: readonly Daemon[]): Promise<SchedulerClient> {
    const client = new SchedulerClient({
      master: masters.map(({ port }) => `127.0.0.1:${port}`).join(","),
      framework: { name: "f", failover_timeout: 3600, checkpoint: true },
      missedHeartbeats: 1,
    });
    let launched = false;
    let runs = false;
    client.on("offers", async ({ offers }) => {
      for (const offer of offers) {
        // A master that is killed takes its offers with it; an error would end the client.
        if (launched) await client.decline(offer).catch(() => undefined);
        else {
          launched = true;
          await client.launch(offer, [SLEEPER]);
        }
      }
    });
    client.on("update", ({ status }) => {
      runs ||= status.state === TaskState.TASK_RUNNING;
    });
    await client.start();
    await eventually(() => runs || undefined, LIMIT_MS);
    return client;
  }

  const running = (master: Daemon) =>
    eventually(async () => {
      const { frameworks } = (await getJson(master, "/master/state")) as State;
      const tasks = frameworks.flatMap(({ tasks }) => tasks.map(({ id, state }) => `${id} ${state}`));
      return tasks.length > 0 ? tasks : undefined;
    }, LIMIT_MS);
});

const SLEEPER = {
  name: "sleeper",
  task_id: { value: "sleeper" },
  resources: resourceList("cpus:1;mem:32"),
  command: { value: "exec sleep 600" },
};
