import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import {
  ContainerInfo_Type,
  ContainerInfo_DockerInfo_Network as Network,
  type Offer,
  TaskStatus_Reason as Reason,
  type Resource,
  type TaskInfo,
  TaskState,
  type TaskStatus,
  Value_Type,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { SchedulerClient } from "../../../sdk/index.js";
import { type Cluster, getJson, startCluster, until } from "../../support/cluster.js";
import type { Daemon } from "../../support/daemons.js";
import { output } from "../../support/docker-daemon.js";
import { eventually } from "../../support/eventually.js";
import { DockerBench, IMAGE } from "./support.js";

/** What a task is beyond its name and what it uses. `port` is one that was offered. */
type Shape = (port: number) => Partial<TaskInfo>;

const docker = (more: object = {}) => ({
  type: ContainerInfo_Type.DOCKER,
  volumes: [],
  network_infos: [],
  docker: { image: IMAGE, port_mappings: [], parameters: [], ...more },
});

const script = (value: string) => ({ value, shell: true, uris: [], arguments: [] });

/** An app as guides show it: the image's server on port 80, reached at a port of the offer. */
const web: Shape = (port) => ({
  command: { shell: false, value: "httpd", arguments: ["-f", "-p", "80", "-h", "/etc"], uris: [] },
  container: docker({
    network: Network.BRIDGE,
    port_mappings: [{ host_port: port, container_port: 80, protocol: "tcp" }],
  }),
});

const ENDS: readonly TaskState[] = [
  TaskState.TASK_FINISHED,
  TaskState.TASK_FAILED,
  TaskState.TASK_KILLED,
  TaskState.TASK_LOST,
];

describe("an agent with --containerizers=docker,mesos", function () {
  this.timeout(90_000);
  let bench: DockerBench;
  let cluster: Cluster;
  let agent: Daemon;
  let framework: Framework;
  before(async function () {
    bench = await DockerBench.start(this);
    cluster = await startCluster({
      agentFlags: [
        "--containerizers=docker,mesos",
        `--docker_socket=${bench.daemon.socket}`,
        "--docker_remove_delay=0ns",
      ],
    });
    agent = cluster.agents[0]!;
    framework = await Framework.register(cluster.master.port);
  });
  after(async () => {
    await framework?.client.teardown();
    await agent?.stop();
    await cluster?.stop();
    await bench?.stop();
  });

  it("serves an app of a Docker image at the port that it was offered", async () => {
    const port = await framework.launch("web", web);
    const { container_status: status, data } = await framework.state("web", TaskState.TASK_RUNNING);
    const inspected = JSON.parse(data!.toString()) as { Name: string; Config: { Image: string } }[];
    expect(inspected.map(({ Name, Config }) => [Name, Config.Image])).to.deep.equal([
      [`/mesos-${status!.container_id!.value}`, IMAGE],
    ]);
    expect(inspected[0]).to.have.nested.property("NetworkSettings.Networks");
    const get = (url: string) => output(bench.daemon.inNetwork(["curl", "-sS", "--max-time", "5", url]));
    expect(await eventually(() => get(`http://127.0.0.1:${port}/passwd`))).to.include("root:x:0:0");
    const address = status!.network_infos[0]!.ip_addresses[0]!.ip_address;
    expect(await get(`http://${address}/passwd`)).to.include("root:x:0:0");
    await framework.client.kill("web");
    const end = await framework.end("web");
    expect(end.state).to.equal(TaskState.TASK_KILLED);
    expect(end.message).to.match(/^Container exited with status \d+$/);
    await until(async () => Object.keys(await bench.listed()).length === 0);
  });

  it("runs what is not Docker's beside it, and says why a container cannot be had", async () => {
    await framework.launch("plain", () => ({ command: script("exit 4") }));
    expect((await framework.end("plain")).message).to.equal("Command exited with status 4");
    await framework.launch("unknown-image", () => ({
      command: script("true"),
      container: docker({ image: "127.0.0.1:9/none:1" }),
    }));
    const failed = await framework.end("unknown-image");
    expect([failed.state, failed.reason]).to.deep.equal([
      TaskState.TASK_FAILED,
      Reason.REASON_CONTAINER_LAUNCH_FAILED,
    ]);
    expect(failed.message).to.match(
      /^Failed to launch container: image '127\.0\.0\.1:9\/none:1' cannot be pulled/,
    );
    await framework.launch("greedy", () => ({
      command: script("sleep 0.5; exec tail -c 200000000 /dev/zero"),
      container: docker({ parameters: [{ key: "memory-swap", value: "32m" }] }),
    }));
    const greedy = await framework.end("greedy");
    expect(greedy.reason).to.equal(Reason.REASON_CONTAINER_LIMITATION_MEMORY);
    expect(greedy.message).to.equal("Memory limit exceeded: Requested: 32MB Limit: 32MB");
  });

  it("is killed under its containers, and knows of each what became of it", async () => {
    const loop = "cd $MESOS_SANDBOX; until [ -e go ]; do sleep 0.05; done; touch ended";
    const shapes: Record<string, Shape> = {
      stays: web,
      finishes: () => ({ command: script(`${loop}; echo done`), container: docker() }),
      fails: () => ({ command: script(`${loop}; exit 9`), container: docker() }),
    };
    const ports = new Map<string, number>();
    for (const [name, shape] of Object.entries(shapes)) ports.set(name, await framework.launch(name, shape));
    for (const name of Object.keys(shapes)) await framework.state(name, TaskState.TASK_RUNNING);
    const sandboxes = await sandboxesOf(agent);
    await agent.kill();
    for (const name of ["finishes", "fails"]) {
      const sandbox = sandboxes.get(name)!;
      await output(["touch", join(sandbox, "go")]);
      await until(() => access(join(sandbox, "ended")).then(yes, no));
    }
    agent = await agent.restart();
    const words = async (name: string) => {
      const { state, message } = await framework.end(name);
      return [TaskState[state!], message];
    };
    expect(await words("finishes")).to.deep.equal(["TASK_FINISHED", "Container exited with status 0"]);
    expect(await words("fails")).to.deep.equal(["TASK_FAILED", "Container exited with status 9"]);
    expect(await readFile(join(sandboxes.get("finishes")!, "stdout"), "utf8")).to.equal("done\n");
    const url = `http://127.0.0.1:${ports.get("stays")}/passwd`;
    expect(await output(bench.daemon.inNetwork(["curl", "-sS", "--max-time", "5", url]))).to.include("root");
    await framework.client.kill("stays");
    expect((await words("stays"))[0]).to.equal("TASK_KILLED");
    await until(async () => Object.keys(await bench.listed()).length === 0);
  });
});

const yes = () => true;
const no = () => false;

async function sandboxesOf(agent: Daemon): Promise<ReadonlyMap<string, string>> {
  const { frameworks } = (await getJson(agent, "/state")) as {
    frameworks: { executors: { id: string; directory: string }[] }[];
  };
  return new Map(
    frameworks.flatMap(({ executors }) => executors.map(({ id, directory }) => [id, directory])),
  );
}

/** Launches one task an offer, and remembers what it hears of each. */
class Framework {
  private readonly updates: TaskStatus[] = [];
  private readonly waiting: { name: string; shape: Shape; launched: (port: number) => void }[] = [];

  private constructor(readonly client: SchedulerClient) {
    client.on("update", ({ status }) => void this.updates.push(status));
    client.on("offers", async ({ offers }) => {
      for (const offer of offers) await this.use(offer);
    });
  }

  static async register(port: number): Promise<Framework> {
    const client = new SchedulerClient({
      master: `127.0.0.1:${port}`,
      framework: {
        name: "docker-apps",
        roles: ["*"],
        capabilities: [{ type: 6 }],
        checkpoint: true,
        failover_timeout: 60,
      },
    });
    const framework = new Framework(client);
    await client.start();
    return framework;
  }

  /** The port that the task was given. */
  async launch(name: string, shape: Shape): Promise<number> {
    const port = new Promise<number>((launched) => this.waiting.push({ name, shape, launched }));
    await this.client.revive();
    return port;
  }

  async state(name: string, state: TaskState): Promise<TaskStatus> {
    return this.status(name, (status) => status.state === state);
  }

  async end(name: string): Promise<TaskStatus> {
    return this.status(name, ({ state }) => state !== undefined && ENDS.includes(state));
  }

  private async status(name: string, is: (status: TaskStatus) => boolean): Promise<TaskStatus> {
    const find = () => this.updates.find((status) => status.task_id?.value === name && is(status));
    return eventually(find, 60_000);
  }

  private async use(offer: Offer): Promise<void> {
    const next = this.waiting.shift();
    if (next === undefined) return this.client.decline(offer);
    const port = Number(offer.resources.find(({ name }) => name === "ports")!.ranges!.range[0]!.begin);
    const { name, shape } = next;
    const base = { name, task_id: { value: name }, resources: amounts(offer, port) };
    await this.client.launch(offer, [{ ...base, ...shape(port) }]);
    next.launched(port);
  }
}

function amounts({ allocation_info }: Offer, port: number): Resource[] {
  const common = { reservations: [], ...(allocation_info && { allocation_info }) };
  const scalar = (name: string, value: number) => ({
    name,
    type: Value_Type.SCALAR,
    scalar: { value },
    ...common,
  });
  const range = [{ begin: port, end: port }];
  return [
    scalar("cpus", 0.1),
    scalar("mem", 32),
    { name: "ports", type: Value_Type.RANGES, ranges: { range }, ...common },
  ];
}
