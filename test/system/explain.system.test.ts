import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "chai";
import {
  FrameworkInfo_Capability_Type as Capability,
  type FrameworkInfo,
} from "../../proto/gen/mesos/v1/mesos.js";
import { SchedulerClient } from "../../sdk/index.js";
import { type Cluster, type ClusterOptions, getJson, startCluster, until } from "../support/cluster.js";
import { type Daemon, freePort, startDaemon } from "../support/daemons.js";

const root = new URL("../../..", import.meta.url).pathname;

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function explain(...args: string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [join(root, "bin/tepui"), "explain", ...args], {
    env: { ...process.env, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (text) => (stdout += text));
  child.stderr.on("data", (text) => (stderr += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

describe("tepui explain, on a real cluster", function () {
  this.timeout(120_000);
  let cluster: Cluster;
  const clients: SchedulerClient[] = [];
  const agents: Daemon[] = [];

  const start = async (options: ClusterOptions = {}): Promise<void> => {
    cluster = await startCluster(options);
  };
  const master = (): string => `127.0.0.1:${cluster.master.port}`;

  afterEach(async () => {
    for (const client of clients.splice(0)) await client.teardown();
    for (const agent of agents.splice(0)) await agent.stop();
    await cluster?.stop();
  });

  /** A framework that declines whatever comes for so long; undefined: it keeps it. */
  async function framework(
    info: Partial<FrameworkInfo> & { name: string },
    refuseSeconds?: number,
  ): Promise<{ client: SchedulerClient; offers: () => number }> {
    const capabilities = [{ type: Capability.MULTI_ROLE }, ...(info.capabilities ?? [])];
    const client = new SchedulerClient({
      master: master(),
      framework: { roles: ["dev"], ...info, capabilities },
    });
    let offers = 0;
    client.on("offers", async (event) => {
      offers += event.offers.length;
      if (refuseSeconds === undefined) return;
      for (const offer of event.offers) await client.decline(offer, { refuse_seconds: refuseSeconds });
    });
    await client.start();
    clients.push(client);
    return { client, offers: () => offers };
  }

  /** What is said once it is this. */
  async function says(wanted: RegExp, ...args: string[]): Promise<string> {
    let last: Outcome | undefined;
    await until(async () => {
      last = await explain(...args, `--master=${master()}`);
      return wanted.test(last.stdout);
    });
    expect(last!.code).to.equal(0);
    expect(last!.stderr).to.equal("");
    return last!.stdout;
  }

  it("says that all is well", async () => {
    await start();
    await framework({ name: "eager" }, 0.01);
    const text = await says(/Everything is fine/, "eager");
    expect(text).to.match(/^framework eager \S+: active; the cluster has 1 agent\n\nrole dev\n/);
    expect(text).to.match(/number 1 of 1 roles in line/);
  });

  it("says that offers were suppressed, or refused for a time, and how that ends", async () => {
    await start();
    const { client, offers } = await framework({ name: "choosy" }, 1000);
    await until(() => offers() === 1);
    const refused = await says(/\[FILTERED\]/, "choosy");
    expect(refused).to.match(/Nothing can be offered now:/);
    expect(refused).to.match(/filters end in (16mins|16\.6\d*mins|9\d\dsecs|1000secs)/);
    expect(refused).to.match(/agents: \S+-S0\n {4}what to do: Send REVIVE/);
    await client.suppress();
    expect(await says(/\[SUPPRESSED\]/, "choosy")).to.match(/what to do: Send REVIVE for the role/);
    await client.revive();
    await until(() => offers() === 2);
  });

  it("says that others have everything, and what a framework holds", async () => {
    await start();
    const greedy = await framework({ name: "greedy" });
    await until(() => greedy.offers() === 1);
    await framework({ name: "hungry", roles: ["web"] });
    expect(await says(/\[NOTHING_FREE\]/, "hungry")).to.match(/1 agent is offered to somebody or in use/);
    expect(await says(/holds/, "greedy")).to.match(/holds {6}cpus:4; /);
  });

  const amounts = (all: Record<string, number>) =>
    Object.fromEntries(Object.entries(all).map(([name, value]) => [name, { value }]));

  async function setQuota(quota: {
    role: string;
    guarantees?: Record<string, number>;
    limits?: Record<string, number>;
  }): Promise<void> {
    const { role, guarantees = {}, limits = {} } = quota;
    const config = { role, guarantees: amounts(guarantees), limits: amounts(limits) };
    const response = await fetch(`http://${master()}/api/v1`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ type: "UPDATE_QUOTA", update_quota: { quota_configs: [config] } }),
    });
    expect(response.status, await response.text()).to.equal(200);
  }

  it("says that a quota's limit is reached, and for how much of what, until it is raised", async () => {
    await start();
    await setQuota({ role: "dev", limits: { cpus: 1.5, mem: 512, disk: 0, ports: 0 } });
    const { offers } = await framework({ name: "capped", roles: ["dev"] });
    await until(() => offers() === 1);
    const text = await says(/\[QUOTA_LIMIT\]/, "capped");
    expect(text).to.match(/Nothing can be offered now:/);
    expect(text).to.match(/holds {6}cpus:1.5; mem:512\n/);
    expect(text).to.match(/cpus of role dev: limit 1.5, used or offered 1.5\n/);
    expect(text).to.match(/what to do: Raise the limit of the quota/);
    // Whoever is in another role is not concerned.
    await framework({ name: "free", roles: ["web"] }, 0.01);
    await says(/Everything is fine/, "free");
    await setQuota({ role: "dev", limits: { cpus: 2, mem: 1024 } });
    await until(() => offers() === 2);
  });

  it("says for whose guarantee resources are kept free", async () => {
    await start();
    await setQuota({ role: "ops", guarantees: { cpus: 4, mem: 4096 } });
    await framework({ name: "waiting" });
    const text = await says(/\[QUOTA_HEADROOM\]/, "waiting");
    expect(text).to.match(/cpus of role ops: guaranteed 4, has 0\n/);
    await framework({ name: "promised", roles: ["ops"] }, 0.01);
    await says(/Everything is fine/, "promised");
  });

  it("says which capability is missing", async () => {
    await start({ agents: 0 });
    agents.push(
      await startDaemon("mesos-agent", [
        `--master=${master()}`,
        "--resources=cpus:4;mem:1024;disk:1024;gpus:1",
        "--registration_backoff_factor=10ms",
      ]),
    );
    await framework({ name: "plain" });
    expect(await says(/\[NEEDS_GPU_RESOURCES\]/, "plain")).to.match(
      /Subscribe with the capability GPU_RESOURCES/,
    );
    await framework({ name: "graphic", capabilities: [{ type: Capability.GPU_RESOURCES }] }, 0.01);
    await says(/Everything is fine/, "graphic");
  });

  it("says that what is free is less than the least offer", async () => {
    await start({ masterFlags: ["--min_allocatable_resources=cpus:64"] });
    await framework({ name: "modest" });
    expect(await says(/\[TOO_SMALL\]/, "modest")).to.match(/1 agent is free in less than the least offer/);
  });

  it("takes ids, ends of ids and names, one role, and answers as JSON", async () => {
    await start();
    await framework({ name: "two", roles: ["dev", "web"] }, 0.01);
    const { frameworks } = (await getJson(cluster.master, "/frameworks")) as { frameworks: { id: string }[] };
    const id = frameworks[0]!.id;
    for (const name of [id, id.slice(-5), "two"]) {
      const { stdout } = await explain(name, "--role=web", "--json", `--master=${master()}`);
      const answer = JSON.parse(stdout);
      expect(answer.framework.id).to.equal(id);
      expect(answer.roles.map(({ role }: { role: string }) => role)).to.deep.equal(["web"]);
    }
    expect(await says(/role dev/, "two")).to.match(/role web/);
    expect(await says(/role ops/, "two", "--role=ops")).to.match(/\[NOT_SUBSCRIBED\]/);
  });

  it("says what is wrong with the question, and who could have been meant", async () => {
    await start();
    const none = await explain("ghost", `--master=${master()}`);
    expect([none.code, none.stdout]).to.deep.equal([1, ""]);
    expect(none.stderr).to.equal(
      "tepui explain: there is no framework 'ghost'; no framework is registered\n",
    );
    await framework({ name: "twin" }, 0.01);
    const second = await framework({ name: "twin" }, 0.01);
    expect((await explain("ghost", `--master=${master()}`)).stderr).to.match(
      /there are \S+-000\d \(twin\), \S+-000\d \(twin\)\n/,
    );
    const both = await explain("twin", `--master=${master()}`);
    expect(both.code).to.equal(1);
    expect(both.stderr).to.match(/^tepui explain: 'twin' means \S+-000\d \(twin\), \S+-000\d \(twin\)\n$/);
    clients.splice(clients.indexOf(second.client), 1);
    await second.client.teardown();
    await until(async () => (await explain("twin", `--master=${master()}`)).code === 0);
  });

  it("says that a master cannot be reached, and asks the next", async () => {
    await start();
    await framework({ name: "eager" }, 0.01);
    const nobody = `127.0.0.1:${await freePort()}`;
    const { code, stderr } = await explain("eager", `--master=${nobody}`);
    expect(code).to.equal(1);
    expect(stderr).to.match(
      new RegExp(`^tepui explain: the master at ${nobody} does not answer: connection refused\n$`),
    );
    expect((await explain("eager", `--master=${nobody},${master()}`)).code).to.equal(0);
    const agent = await explain("eager", `--master=127.0.0.1:${cluster.agents[0]!.port}`);
    expect([agent.code, agent.stderr]).to.deep.equal([
      1,
      "tepui explain: there is no /allocator/explain: is it a Tepui master, with the plugin explain-endpoint?\n",
    ]);
    expect((await explain("eager", "--master=zk://host/path")).stderr).to.match(
      /names a coordination service/,
    );
  });
});
