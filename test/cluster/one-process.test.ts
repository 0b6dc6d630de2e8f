import { expect } from "chai";
import { Agent } from "../../core/agent/agent.js";
import masterPlugin from "../../core/master/master.plugin.js";
import { createTestKernel, override, type TestKernel } from "../../core/testing/index.js";
import drfAllocator from "../../plugins/drf-allocator/index.js";
import localTransport from "../../plugins/local-transport/index.js";
import { LocalHub } from "../../plugins/local-transport/local-hub.js";
import { LocalTransport } from "../../plugins/local-transport/local-transport.js";
import memoryRegistry from "../../plugins/memory-registry/index.js";
import standaloneElection from "../../plugins/standalone-election/index.js";
import { type Offer, type TaskInfo, TaskState, type TaskStatus } from "../../proto/gen/mesos/v1/mesos.js";
import { Call, Call_Type, type Event } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { Election } from "../../sdk/contracts/election.js";
import { HttpServer } from "../../sdk/contracts/http-server.js";
import { MasterView } from "../../sdk/contracts/master-view.js";
import { MetricsRegistry } from "../../sdk/contracts/metrics-registry.js";
import { SchedulerService } from "../../sdk/contracts/scheduler-service.js";
import { resourceList } from "../../sdk/scheduler/index.js";
import { SeededRandom } from "../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../sdk/testing/virtual-clock.js";
import { AGENT_OPTIONS, MemoryDisk } from "../core/agent/support/agent-bench.js";
import { ScriptedContainerizer } from "../core/agent/support/scripted-containerizer.js";
import { ScriptedEstimator } from "../core/agent/support/scripted-estimator.js";
import { ScriptedQoSController } from "../core/agent/support/scripted-qos-controller.js";

const MASTER_IP = "10.0.0.1";
const PORT = 5050;
const MASTER_PID = `master@${MASTER_IP}:${PORT}`;
const STREAM_ID = "5f1c1b40-0000-4000-8000-000000000001";

/** A master, its agents and one scheduler in this process: real state machines and messages; time, network and containers are the test's. */
class OneProcessCluster {
  readonly clock = new VirtualClock();
  readonly hub = new LocalHub(this.clock);
  readonly containerizers: ScriptedContainerizer[] = [];
  readonly offers: Offer[] = [];
  readonly updates: TaskStatus[] = [];
  private readonly agents: Agent[] = [];
  private frameworkId = "";
  private kernel!: TestKernel;

  static async start(agents: number): Promise<OneProcessCluster> {
    const cluster = new OneProcessCluster();
    cluster.kernel = await createTestKernel({
      plugins: [standaloneElection, memoryRegistry, localTransport, drfAllocator, masterPlugin],
      clock: cluster.clock,
      config: { "local-transport": { hub: cluster.hub, ip: MASTER_IP, port: PORT } },
      overrides: [override(HttpServer, serverAt(MASTER_IP, PORT))],
    });
    for (let i = 0; i < agents; i++) cluster.addAgent(`10.0.1.${i + 1}`, i);
    await cluster.clock.advance(3000);
    return cluster;
  }

  get view(): MasterView {
    return this.kernel.kernel.get(MasterView);
  }

  async stop(): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.stop()));
    await this.kernel.stop();
  }

  subscribe(): void {
    this.service.subscribe({
      call: Call.fromPartial({
        type: Call_Type.SUBSCRIBE,
        subscribe: {
          framework_info: {
            user: "nobody",
            name: "test",
            roles: ["*"],
            // Otherwise a broken connection alone ends its tasks.
            checkpoint: true,
            // MULTI_ROLE and PARTITION_AWARE
            capabilities: [{ type: 6 }, { type: 5 }],
          },
        },
      } as Call),
      principal: undefined,
      streamId: STREAM_ID,
      connection: { send: (event) => this.receive(event), close: () => undefined },
    });
  }

  launch(offer: Offer, taskId: string): void {
    const resources = resourceList("cpus:1;mem:64").map((resource) => ({
      ...resource,
      allocation_info: { role: "*" },
    }));
    const task = { name: taskId, task_id: { value: taskId }, agent_id: offer.agent_id!, resources };
    this.call({
      type: Call_Type.ACCEPT,
      accept: {
        offer_ids: [offer.id!],
        operations: [
          { type: 1, launch: { task_infos: [{ ...task, command: { value: "true" } } as TaskInfo] } },
        ],
        filters: { refuse_seconds: 0 },
      },
    });
  }

  states(taskId: string): string[] {
    return this.updates
      .filter((status) => status.task_id?.value === taskId)
      .map((status) => TaskState[status.state!]!);
  }

  private get service(): SchedulerService {
    return this.kernel.kernel.get(SchedulerService);
  }

  private call(call: object): void {
    const message = Call.fromPartial({ ...call, framework_id: { value: this.frameworkId } } as Call);
    void this.service.call({ call: message, principal: undefined, streamId: STREAM_ID });
  }

  /** Events come from within the master: what answers them waits for the next turn. */
  private receive(event: Event): boolean {
    if (event.subscribed !== undefined) this.frameworkId = event.subscribed.framework_id!.value!;
    this.offers.push(...(event.offers?.offers ?? []));
    const status = event.update?.status;
    if (status === undefined) return true;
    this.updates.push(status);
    if (status.uuid === undefined) return true;
    const { agent_id, task_id, uuid } = status;
    this.clock.setTimeout(
      () => this.call({ type: Call_Type.ACKNOWLEDGE, acknowledge: { agent_id, task_id, uuid } }),
      0,
    );
    return true;
  }

  private addAgent(ip: string, index: number): void {
    const { clock, hub } = this;
    const { logger } = this.kernel;
    const transport = new LocalTransport({ hub, ip, port: 5051, clock, logger });
    transport.start();
    const containerizer = new ScriptedContainerizer();
    const agent = new Agent({
      checkers: new Map(),
      options: AGENT_OPTIONS,
      info: { hostname: ip, port: 5051, resources: resourceList("cpus:4;mem:1024"), attributes: [] },
      ip,
      containerizers: [containerizer],
      election: FOLLOW_THE_MASTER,
      transport,
      estimator: new ScriptedEstimator(),
      qosController: new ScriptedQoSController(),
      disk: new MemoryDisk(),
      diskUsage: async () => 0,
      clock,
      random: new SeededRandom(index + 1),
      logger,
      metrics: new MetricsRegistry(clock),
      finished: () => undefined,
    });
    agent.start();
    this.containerizers.push(containerizer);
    this.agents.push(agent);
  }
}

const FOLLOW_THE_MASTER: Election = {
  contend: () => {
    throw new Error("agents do not lead");
  },
  watch: (changed) => {
    changed({ id: "m", ip: 0, port: PORT, pid: MASTER_PID, hostname: MASTER_IP, capabilities: [] });
    return () => undefined;
  },
};

function serverAt(ip: string, port: number): HttpServer {
  return { address: { ip, port, hostname: ip }, route: () => {}, take: () => {}, intercept: () => {} };
}

describe("a cluster in one process, on virtual time", () => {
  let cluster: OneProcessCluster;
  beforeEach(async () => {
    cluster = await OneProcessCluster.start(3);
  });
  afterEach(() => cluster.stop());

  it("registers its agents, offers them and runs a task from STARTING to FINISHED", async () => {
    expect([...cluster.view.agents()]).to.have.length(3);
    cluster.subscribe();
    await cluster.clock.advance(2000);
    expect(cluster.offers).to.have.length(3);
    cluster.launch(cluster.offers[0]!, "one");
    await cluster.clock.advance(100);
    expect(cluster.states("one")).to.deep.equal(["TASK_STARTING", "TASK_RUNNING"]);
    const container = cluster.containerizers.flatMap((each) => each.launched)[0]!;
    container.exit(0);
    await cluster.clock.advance(100);
    expect(cluster.states("one")).to.deep.equal(["TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"]);
  });

  it("tells of an agent that is cut off for too long, and takes its task back when it returns", async () => {
    cluster.subscribe();
    await cluster.clock.advance(2000);
    const offer = cluster.offers[0]!;
    cluster.launch(offer, "kept");
    await cluster.clock.advance(100);
    const endpoint = `${offer.hostname}:5051`;
    cluster.hub.isolate(endpoint);
    // Five pings of fifteen seconds are missed.
    await cluster.clock.advance(120_000);
    expect(cluster.states("kept").at(-1)).to.equal("TASK_UNREACHABLE");
    expect([...cluster.view.agents()]).to.have.length(2);
    cluster.hub.rejoin(endpoint);
    // The agent has noticed the silence and registers again, with back-off of up to a minute.
    await cluster.clock.advance(180_000);
    expect(cluster.states("kept").at(-1)).to.equal("TASK_RUNNING");
    expect([...cluster.view.agents()]).to.have.length(3);
  });
});
