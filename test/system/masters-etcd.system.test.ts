import { expect } from "chai";
import { type Daemon, startDaemon } from "../support/daemons.js";
import { type EtcdCluster, requireEtcd, startEtcd } from "../support/etcd-cluster.js";
import { eventually } from "../support/eventually.js";
import { type Ensemble, requireZooKeeper, startEnsemble } from "../support/zookeeper-ensemble.js";

const LIMIT_MS = 60_000;

interface Slaves {
  readonly slaves: readonly { readonly id: string; readonly active: boolean }[];
}

describe("two masters with their registry in etcd", function () {
  this.timeout(240_000);
  let ensemble: Ensemble | undefined;
  let cluster: EtcdCluster | undefined;
  const daemons: Daemon[] = [];

  before(async function () {
    requireZooKeeper(this);
    requireEtcd(this);
    [ensemble, cluster] = await Promise.all([startEnsemble(1), startEtcd(3)]);
  });
  after(async () => {
    await Promise.all(daemons.map((daemon) => daemon.stop()));
    await Promise.all([ensemble?.stop(), cluster?.stop()]);
  });

  const get = (master: Daemon, path: string) =>
    fetch(`http://127.0.0.1:${master.port}${path}`, {
      redirect: "manual",
      signal: AbortSignal.timeout(5000),
    });

  /** The one that leads, and the id of its active agent. */
  const leader = (among: readonly Daemon[]) =>
    eventually(async () => {
      for (const master of among) {
        const answer = await get(master, "/master/slaves").catch(() => undefined);
        if (answer?.status !== 200) continue;
        const agent = ((await answer.json()) as Slaves).slaves.find(({ active }) => active);
        if (agent !== undefined) return { master, agent: agent.id };
      }
      return undefined;
    }, LIMIT_MS);

  it("keep the agents when the leader and a server of etcd are killed; the standby shows the registry, and that it may be old", async () => {
    const zk = `zk://${ensemble!.servers}/mesos`;
    const flags = [
      `--zk=${zk}`,
      `--registry=etcd://${cluster!.servers}/mesos`,
      "--zk_session_timeout=6secs",
      "--hostname=127.0.0.1",
    ];
    const masters = await Promise.all([1, 2].map(() => startDaemon("mesos-master", flags)));
    const agent = await startDaemon("mesos-agent", [
      `--master=${zk}`,
      "--zk_session_timeout=6secs",
      "--registration_backoff_factor=10ms",
      "--resources=cpus:1;mem:128",
    ]);
    daemons.push(...masters, agent);
    const first = await leader(masters);
    const standby = masters.find((master) => master !== first.master)!;

    const own = await get(first.master, "/registrar(1)/registry");
    expect(own.headers.get("warning")).to.equal(null);
    const shown = await eventually(async () => {
      const answer = await get(standby, "/master/registrar%281%29/registry");
      return answer.headers.has("tepui-leader") ? answer : undefined;
    }, LIMIT_MS);
    expect(shown.status).to.equal(200);
    expect(shown.headers.get("warning")).to.equal('110 - "Response is Stale"');
    expect(shown.headers.get("tepui-leader")).to.equal(`//127.0.0.1:${first.master.port}`);
    expect(await shown.json()).to.deep.equal(await own.json());
    // What only the leader can answer, the standby leaves to it.
    const state = await get(standby, "/master/state?x=1");
    expect(state.status).to.equal(307);
    expect(state.headers.get("location")).to.equal(`//127.0.0.1:${first.master.port}/master/state?x=1`);

    await Promise.all([first.master.kill(), cluster!.nodes[0]!.kill()]);
    const second = await leader([standby]);
    expect(second.agent).to.equal(first.agent);
    const registry = (await (await get(standby, "/registrar(1)/registry")).json()) as {
      master: { info: { port: number } };
      slaves: { slaves: { info: { id: { value: string } } }[] };
    };
    expect(registry.master.info.port).to.equal(standby.port);
    expect(registry.slaves.slaves.map(({ info }) => info.id.value)).to.deep.equal([first.agent]);
  });
});
