/**
 * One framework of the chaos run, in a process that may be killed at any moment: it writes down what it does before it does it, and asks
 * the master again and again for what became of its tasks.
 *
 * Arguments: one JSON text, `FrameworkArguments`. Standard input: a phase a line. It ends when its standard input does.
 */
import { createInterface } from "node:readline";
import { type Offer, TaskState, Value_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import { SchedulerClient } from "../../../sdk/index.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { TAG_VARIABLE } from "../soak-task.js";
import { CPUS, type FrameworkArguments, type Phase } from "./framework-arguments.js";
import { markedCommand } from "./host-marks.js";
import { type Attempt, endOf, isOver, JobBook, type JobKind, lastState, wantsTask } from "./job-book.js";

const BATCH_AT_ONCE = 4;
const SERVICES = 3;
const SWEEP_MS = 2000;
/** For each service, at each sweep. */
const KILL_CHANCE = 0.15;
/** After this time the master has handled a call without an answer, one way or the other. */
const CALL_FORGOTTEN_MS = 20_000;
const MEM = 32;

class ChaosFramework {
  private phase: Phase;
  private readonly book: JobBook;
  private readonly random: SeededRandom;
  private readonly client: SchedulerClient;
  /** Tasks whose launch may not have reached the master yet: reconciling them could overtake the launch. */
  private readonly launching = new Set<string>();

  constructor(private readonly options: FrameworkArguments) {
    this.phase = options.phase;
    this.book = new JobBook(options.book);
    this.random = new SeededRandom(options.seed + this.book.jobs.size);
    this.client = new SchedulerClient({
      master: options.masters,
      framework: {
        name: options.name,
        roles: [options.name],
        // PARTITION_AWARE, MULTI_ROLE, RESERVATION_REFINEMENT
        capabilities: [{ type: 5 }, { type: 6 }, { type: 7 }],
        checkpoint: true,
        failover_timeout: 3600,
        ...(this.book.framework !== undefined && { id: { value: this.book.framework } }),
      },
      missedHeartbeats: 1,
      backoff: { initial: 100, max: 1000 },
      timeout: 5000,
    });
  }

  async run(): Promise<void> {
    const { client } = this;
    client.on("subscribed", ({ framework_id }) => {
      this.book.register(framework_id.value ?? "");
      // Calls sent on the previous stream are refused from now on.
      this.launching.clear();
      this.reconcile();
    });
    client.on("update", ({ status }) => {
      const reason = status.reason === undefined ? "" : ` reason ${status.reason}`;
      const words = `${status.message ?? ""}${reason} source ${status.source}${status.uuid ? "" : " no uuid"}`;
      this.book.note(status.task_id?.value ?? "", status.state ?? TaskState.TASK_UNKNOWN, words);
    });
    client.on("offers", async ({ offers }) => {
      for (const offer of offers) await this.use(offer).catch(() => undefined);
    });
    setInterval(() => this.sweep(), SWEEP_MS);
    await client.start();
    await client.finished;
  }

  async enter(phase: Phase): Promise<void> {
    this.phase = phase;
    if (phase === "ending") this.sweep();
    if (phase !== "leaving") return;
    await this.client.teardown();
    process.exit(0);
  }

  /** Jobs that need a task now. */
  private wanting(): { name: string; kind: JobKind }[] {
    const jobs = [...this.book.jobs.values()];
    const wanting = jobs.filter(
      (job) => wantsTask(job) && !(job.kind === "service" && this.phase === "ending"),
    ) as { name: string; kind: JobKind }[];
    if (this.phase !== "working") return wanting;
    const { name } = this.options;
    for (let i = 1; i <= SERVICES; i++) {
      const service = `${name}-s${i}`;
      if (!this.book.jobs.has(service)) wanting.push({ name: service, kind: "service" });
    }
    const batches = jobs.filter(({ kind }) => kind === "batch");
    const undone = batches.filter(({ attempts }) =>
      attempts.every((one) => endOf(one) !== TaskState.TASK_FINISHED),
    ).length;
    for (let i = 1; i <= BATCH_AT_ONCE - undone; i++)
      wanting.push({ name: `${name}-b${batches.length + i}`, kind: "batch" });
    return wanting;
  }

  private async use(offer: Offer): Promise<void> {
    const amount = (name: string): number =>
      offer.resources
        .filter((one) => one.name === name)
        .reduce((sum, one) => sum + (one.scalar?.value ?? 0), 0);
    const room = Math.floor(Math.min(amount("cpus") / CPUS, amount("mem") / MEM));
    // Not everything on the first agent.
    const wanting = this.wanting().slice(0, Math.min(room, 1 + Math.floor(this.random.next() * 4)));
    if (wanting.length === 0) return this.client.decline(offer, { refuse_seconds: 0.3 });
    const launched = wanting.map(({ name, kind }) => ({
      name,
      kind,
      task: this.book.launch(name, kind, offer.agent_id?.value ?? "").task,
    }));
    for (const { task } of launched) this.launching.add(task);
    const taken = (): void => {
      for (const { task } of launched) this.launching.delete(task);
    };
    const tasks = launched.map((one) => this.taskInfo(one, offer));
    await this.client.launch(offer, tasks, { refuse_seconds: 0.3 }).then(taken, () => {
      setTimeout(taken, CALL_FORGOTTEN_MS);
    });
  }

  private taskInfo({ name, kind, task }: { name: string; kind: JobKind; task: string }, offer: Offer) {
    const { marks, tag } = this.options;
    const work = kind === "service" ? "exec sleep 100000" : `sleep ${(this.random.next() * 3).toFixed(2)}`;
    const scalar = (resource: string, value: number) => ({
      name: resource,
      type: Value_Type.SCALAR,
      scalar: { value },
      ...(offer.allocation_info && { allocation_info: offer.allocation_info }),
    });
    return {
      name: task,
      task_id: { value: task },
      resources: [scalar("cpus", CPUS), scalar("mem", MEM)],
      command: {
        value: markedCommand({ marks, job: name, task, work }),
        environment: { variables: [{ name: TAG_VARIABLE, value: tag, type: 1 }] },
      },
    };
  }

  /** Kills now and then, and reconciles every task whose end is unknown. */
  private sweep(): void {
    for (const { kind, attempts } of this.book.jobs.values()) {
      const last = attempts.at(-1);
      if (kind !== "service" || last === undefined || isOver(last)) continue;
      const soon = this.phase === "working" && this.random.next() < KILL_CHANCE;
      if (this.phase === "ending" || (soon && lastState(last) === TaskState.TASK_RUNNING))
        this.book.kill(last.task);
      // Repeated until it has ended: the call may have been lost.
      if (last.killed) this.kill(last);
    }
    this.reconcile();
  }

  private kill({ task, agent }: Attempt): void {
    if (!this.launching.has(task)) void this.client.kill(task, { agentId: agent });
  }

  private reconcile(): void {
    const asked = this.book.open().filter(({ task }) => !this.launching.has(task));
    if (asked.length === 0) return;
    void this.client.reconcile(asked.map(({ task, agent }) => ({ taskId: task, agentId: agent })));
  }
}

const framework = new ChaosFramework(JSON.parse(process.argv[2] ?? "") as FrameworkArguments);
const phases = createInterface({ input: process.stdin });
phases.on("line", (line) => void framework.enter(line as Phase));
phases.on("close", () => process.exit(0));
await framework.run();
