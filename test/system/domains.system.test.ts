import { expect } from "chai";
import {
  FrameworkInfo_Capability_Type as Capability,
  type DomainInfo,
} from "../../proto/gen/mesos/v1/mesos.js";
import { SchedulerClient } from "../../sdk/index.js";
import { type Cluster, getJson, startCluster, until } from "../support/cluster.js";
import { type Daemon, startDaemon } from "../support/daemons.js";

const domain = (region: string, zone: string): DomainInfo => ({
  fault_domain: { region: { name: region }, zone: { name: zone } },
});

const flag = (region: string, zone: string): string => `--domain=${JSON.stringify(domain(region, zone))}`;

describe("fault domains, on a real cluster", function () {
  this.timeout(60_000);
  let cluster: Cluster;
  const agents: Daemon[] = [];
  const clients: SchedulerClient[] = [];

  before(async () => {
    cluster = await startCluster({
      agents: 0,
      masterFlags: [flag("eu", "eu-1"), "--require_agent_domain=true"],
    });
    for (const place of [flag("eu", "eu-2"), flag("us", "us-1")]) agents.push(await startAgent(place));
  });
  after(async () => {
    for (const client of clients) await client.teardown();
    for (const agent of agents) await agent.stop();
    await cluster.stop();
  });

  const startAgent = (...flags: string[]): Promise<Daemon> =>
    startDaemon("mesos-agent", [
      `--master=127.0.0.1:${cluster.master.port}`,
      "--resources=cpus:4;mem:1024;disk:1024",
      "--registration_backoff_factor=10ms",
      ...flags,
    ]);

  /** Region -> zone of the agents that it is offered, of which it keeps all. */
  async function offeredTo(...capabilities: Capability[]): Promise<Map<string, string>> {
    const client = new SchedulerClient({
      master: `127.0.0.1:${cluster.master.port}`,
      framework: {
        name: capabilities.join() || "local",
        roles: ["dev"],
        capabilities: [Capability.MULTI_ROLE, ...capabilities].map((type) => ({ type })),
      },
    });
    const offered = new Map<string, string>();
    client.on("offers", ({ offers }) => {
      for (const { domain: where } of offers) {
        offered.set(where?.fault_domain?.region?.name ?? "", where?.fault_domain?.zone?.name ?? "");
      }
    });
    await client.start();
    clients.push(client);
    await until(() => offered.size > 0);
    return offered;
  }

  it("are told by master and agents", async () => {
    await until(async () => (await metric("master/slaves_connected")) === 2);
    const { slaves } = (await getJson(cluster.master, "/slaves")) as { slaves: { domain: DomainInfo }[] };
    expect(slaves.map((one) => one.domain)).to.have.deep.members([
      domain("eu", "eu-2"),
      domain("us", "us-1"),
    ]);
    const state = (await getJson(cluster.master, "/state")) as Record<string, unknown>;
    expect(state.domain).to.deep.equal(domain("eu", "eu-1"));
    expect(state.leader_info).to.have.deep.property("domain", domain("eu", "eu-1"));
    expect((await getJson(agents[1]!, "/state")) as object).to.have.deep.property(
      "domain",
      domain("us", "us-1"),
    );
  });

  it("keep agents of other regions for the frameworks that know about regions", async () => {
    // The one that is not aware takes what it can first; the other then gets what is left.
    expect([...(await offeredTo())]).to.deep.equal([["eu", "eu-2"]]);
    expect([...(await offeredTo(Capability.REGION_AWARE))]).to.deep.equal([["us", "us-1"]]);
  });

  it("are asked of agents where the master requires them", async () => {
    const homeless = await startAgent();
    agents.push(homeless);
    // It keeps trying: by then more than one attempt has been ignored.
    await until(async () => (await metric("master/messages_register_slave")) >= 4);
    expect(await metric("master/slaves_connected")).to.equal(2);
    expect(homeless.process.exitCode).to.equal(null);
  });

  async function metric(name: string): Promise<number> {
    return ((await getJson(cluster.master, "/metrics/snapshot")) as Record<string, number>)[name] ?? 0;
  }
});
