import { mkdtemp, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Agent } from "../../../core/agent/agent.js";
import { WorkerDisk } from "../../../core/agent/disk/worker-disk.js";
import { SavedStateReader } from "../../../core/agent/recovery/read-saved-state.js";
import { type TaskInfo, TaskState, type TaskStatus } from "../../../proto/gen/mesos/v1/mesos.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import { isAlive, readProcessStat } from "../../../sdk/proc/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { ContainerizerBench } from "../../plugins/mesos-containerizer/support.js";
import { eventually } from "../../support/eventually.js";
import { AGENT_ID, AGENT_OPTIONS, AgentBench, FRAMEWORK_ID, line, scalar } from "./support/agent-bench.js";
import { MortalClock } from "./support/mortal-clock.js";
import { ScriptedEstimator } from "./support/scripted-estimator.js";
import { ScriptedMaster } from "./support/scripted-master.js";
import { ScriptedQoSController } from "./support/scripted-qos-controller.js";

const { TASK_RUNNING } = TaskState;

let seed = 1;

/** One life of an agent with real containers and a real disk, and a master that a test plays. */
class Life {
  readonly clock = new MortalClock();
  readonly agent: Agent;

  private constructor(
    readonly master: ScriptedMaster,
    private readonly containers: ContainerizerBench,
    private readonly disk: WorkerDisk,
    workDir: string,
  ) {
    this.agent = new Agent({
      checkers: new Map(),
      options: { ...AGENT_OPTIONS, workDir, switchUser: false, registrationBackoffFactor: 1 },
      info: { hostname: "h", port: 1, resources: [scalar("cpus", 4)], attributes: [] },
      ip: "127.0.0.1",
      containerizers: [containers.containerizer],
      election: master,
      transport: master,
      estimator: new ScriptedEstimator(),
      qosController: new ScriptedQoSController(),
      disk,
      diskUsage: async () => 0,
      clock: this.clock,
      random: new SeededRandom(seed++),
      logger: new MemoryLogger(),
      metrics: new MetricsRegistry(this.clock),
      finished: () => undefined,
    });
  }

  static async begin(directory: string): Promise<Life> {
    const containers = await ContainerizerBench.open({ directory });
    const life = new Life(
      new ScriptedMaster(),
      containers,
      new WorkerDisk({ aside: join(directory, "removing") }),
      join(directory, "work"),
    );
    const reader = new SavedStateReader(life.agent.paths, { now: Date.now(), strict: true });
    await life.agent.recover(await reader.read("boot"), "boot");
    life.agent.start();
    life.master.lead();
    const known = life.agent.state.info.id !== undefined;
    const name = known ? "ReregisterSlaveMessage" : "RegisterSlaveMessage";
    await eventually(() => (life.master.heard(name).length > 0 ? true : undefined));
    if (known)
      life.master.say("SlaveReregisteredMessage", { slave_id: { value: AGENT_ID }, reconciliations: [] });
    else life.master.say("SlaveRegisteredMessage", { slave_id: { value: AGENT_ID } });
    return life;
  }

  /** As by SIGKILL: nothing is ended in order, the helper loses its agent. */
  async die(): Promise<void> {
    this.clock.die();
    this.agent.link.stop();
    await this.containers.launcher.stop();
    await this.disk.stop();
  }

  async end(): Promise<void> {
    await this.agent.stop();
    await this.containers.launcher.stop();
    await this.disk.stop();
    this.clock.die();
  }

  /** Acknowledges statuses until this one comes, which is not. */
  async until(taskId: string, wanted: (status: TaskStatus) => boolean): Promise<TaskStatus> {
    const acknowledged = new Set<string>();
    return eventually(() => {
      for (const { update } of this.master.heard("StatusUpdateMessage")) {
        const status = update!.status!;
        const key = update!.uuid!.toString("hex");
        if (status.task_id!.value !== taskId || acknowledged.has(key)) continue;
        if (wanted(status)) return status;
        acknowledged.add(key);
        this.acknowledge(status);
      }
      return undefined;
    });
  }

  acknowledge({ task_id, uuid }: TaskStatus): void {
    const ids = { slave_id: { value: AGENT_ID }, framework_id: { value: FRAMEWORK_ID } };
    this.master.say("StatusUpdateAcknowledgementMessage", { ...ids, task_id, uuid });
  }
}

const script = new AgentBench();
const ended = ({ state }: TaskStatus): boolean => state !== TASK_RUNNING && state !== TaskState.TASK_STARTING;

describe("an agent with real containers", function () {
  this.timeout(60_000);
  let directory: string;
  let life: Life;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-agent-"));
    life = await Life.begin(directory);
  });

  afterEach(async () => {
    for (const executor of life.agent.state.executors()) {
      await executor.containerizer?.destroy(executor.containerId);
    }
    await life.end();
    await rm(directory, { recursive: true, maxRetries: 20, retryDelay: 100 });
  });

  function run(
    id: string,
    command: string,
    options: { checkpoint?: boolean; task?: Partial<TaskInfo> } = {},
  ): void {
    const framework = script.framework({ checkpoint: options.checkpoint ?? true, user: userInfo().username });
    const task = script.task(id, { command: script.command(command), ...options.task });
    life.master.say("RunTaskMessage", { framework, task, resource_version_uuids: [] });
  }

  async function rebirth(): Promise<void> {
    await life.die();
    life = await Life.begin(directory);
  }

  it("runs a command and reports its end", async () => {
    run("t1", "echo out; echo err >&2; exit 3");
    expect(line(await life.until("t1", ended))).to.equal("TASK_FAILED: Command exited with status 3");
    const executor = join("slaves", AGENT_ID, "frameworks", FRAMEWORK_ID, "executors", "t1");
    const sandboxes = join(directory, "work", executor, "runs");
    const sandbox = await readlink(join(sandboxes, "latest"));
    expect(await readFile(join(sandbox, "stdout"), "utf8")).to.equal("out\n");
    expect(await readFile(join(sandbox, "stderr"), "utf8")).to.equal("err\n");
  });

  it("kills a task that ignores SIGTERM, with its whole tree", async () => {
    const stubborn =
      "trap '' TERM; setsid sh -c \"trap '' TERM; echo \\$\\$; sleep 1000\" & wait; sleep 1000";
    run("t1", stubborn, { task: { kill_policy: { grace_period: { nanoseconds: 50_000_000n } } } });
    await life.until("t1", ({ state }) => state === TASK_RUNNING);
    const [executor] = life.agent.state.executors();
    const read = async () => Number(await readFile(join(executor!.directory, "stdout"), "utf8")) || undefined;
    const child = await eventually(read);
    life.master.say("KillTaskMessage", { framework_id: { value: FRAMEWORK_ID }, task_id: { value: "t1" } });
    expect(line(await life.until("t1", ended))).to.equal(
      "TASK_KILLED: Command terminated with signal Killed",
    );
    await eventually(() => (isAlive(readProcessStat(child)) ? undefined : true));
  });

  it("resumes a task that still runs, and reports its true end", async () => {
    run("t1", "while [ ! -e release ]; do sleep 0.05; done; kill -SEGV $$");
    const status = await life.until("t1", ({ state }) => state === TASK_RUNNING);
    life.acknowledge(status);
    const [executor] = life.agent.state.executors();
    await rebirth();
    const [found] = life.agent.state.executors();
    expect(found!.containerId.value).to.equal(executor!.containerId.value);
    await writeFile(join(executor!.directory, "release"), "");
    expect(line(await life.until("t1", ended))).to.equal(
      "TASK_FAILED: Command terminated with signal Segmentation fault",
    );
  });

  it("reports the true end of a task that ended while the agent was down", async () => {
    run("t1", "while [ ! -e release ]; do sleep 0.05; done; exit 143");
    await life.until("t1", ({ state }) => state === TASK_RUNNING);
    const [executor] = life.agent.state.executors();
    const pid = executor!.containerStatus!.executor_pid!;
    await life.die();
    await writeFile(join(executor!.directory, "release"), "");
    await eventually(() => (isAlive(readProcessStat(pid)) ? undefined : true));
    life = await Life.begin(directory);
    // The update that was in flight comes again first.
    expect((await life.until("t1", () => true)).state).to.equal(TASK_RUNNING);
    expect(line(await life.until("t1", ended))).to.equal("TASK_FAILED: Command exited with status 143");
  });

  it("ends the tasks of frameworks that do not checkpoint when it stops", async () => {
    run("t1", "sleep 1000", { checkpoint: false });
    const { container_status } = await life.until("t1", ({ state }) => state === TASK_RUNNING);
    await life.die();
    await eventually(() => (isAlive(readProcessStat(container_status!.executor_pid!)) ? undefined : true));
    life = await Life.begin(directory);
    expect(life.agent.state.frameworks.size).to.equal(0);
  });

  it("forgets a task whose end is acknowledged, also across a restart", async () => {
    run("t1", "true");
    life.acknowledge(await life.until("t1", ended));
    await eventually(() => (life.agent.state.frameworks.size === 0 ? true : undefined));
    await rebirth();
    expect(life.agent.state.frameworks.size).to.equal(0);
    expect(life.master.heard("StatusUpdateMessage")).to.deep.equal([]);
  });
});
