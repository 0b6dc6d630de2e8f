import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { startDaemon } from "../../support/daemons.js";
import { type Ensemble, startEnsemble } from "../../support/zookeeper-ensemble.js";
import { processesOf } from "../remains.js";
import { agentCounts, leaderAmong, masterCounts } from "./counts.js";
import { CPUS } from "./framework-arguments.js";
import { Havoc } from "./havoc.js";
import { heldJob, readMarks } from "./host-marks.js";
import { endOf, type Job, JobBook, jobOf, lastState } from "./job-book.js";
import { faultsOf } from "./verdict.js";
import { DaemonVictim, FrameworkVictim, ServerVictim } from "./victims.js";

export interface ChaosOptions {
  /** How long processes are killed and frozen. */
  readonly milliseconds: number;
  /** The same seed picks the same processes in the same order; how they react differs. */
  readonly seed: number;
  /** Called with a description of every action. */
  readonly progress?: (text: string) => void;
  /** Log everything, and keep the logs, the books and the marks. */
  readonly keep?: boolean;
}

export interface ChaosResult {
  readonly jobs: number;
  readonly tasks: number;
  /** How many tasks ended in each state. */
  readonly ends: Readonly<Record<string, number>>;
  /** What is wrong; empty: nothing. */
  readonly faults: readonly string[];
  /** What was done, and to whom. */
  readonly events: readonly string[];
}

const SETTLED_WITHIN_MS = 120_000;

/**
 * Three masters, three agents, two frameworks and three ZooKeeper servers, any of which is killed or frozen every few seconds. At the end
 * every job must have been done once, no task may have been lost, and frameworks, masters, agents and hosts must agree.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const chaos = new Chaos(options);
  try {
    return await chaos.run();
  } finally {
    await chaos.end();
  }
}

class Chaos {
  private readonly folder = mkdtempSync(join(tmpdir(), "tepui-chaos-"));
  private readonly marks = join(this.folder, "marks");
  private readonly tag = `chaos-${this.folder.slice(-6)}`;
  private readonly events: string[] = [];
  private ensemble: Ensemble | undefined;
  private masters: readonly DaemonVictim[] = [];
  private agents: readonly DaemonVictim[] = [];
  private frameworks: readonly FrameworkVictim[] = [];

  constructor(private readonly options: ChaosOptions) {
    mkdirSync(this.marks);
  }

  async run(): Promise<ChaosResult> {
    await this.start();
    await this.everybodyWorks();
    const servers = this.ensemble!.nodes.map((node, i) => new ServerVictim(`server ${i + 1}`, node));
    const havoc = new Havoc(
      [
        { victims: this.masters, atOnce: 2 },
        { victims: this.agents, atOnce: 2 },
        { victims: this.frameworks, atOnce: 2 },
        // With two of them away there is no quorum, and no leader.
        { victims: servers, atOnce: 2 },
      ],
      new SeededRandom(this.options.seed),
      (text) => this.note(text),
    );
    await havoc.wreak(this.options.milliseconds);
    const faults = await this.conclude();
    return { ...this.summary(), faults, events: this.events };
  }

  async end(): Promise<void> {
    await Promise.all(this.frameworks.map((framework) => framework.kill()));
    for (const daemon of [...this.agents, ...this.masters]) daemon.thaw();
    await Promise.all([...this.agents, ...this.masters].map(({ daemon }) => daemon.stop()));
    await this.ensemble?.stop();
    for (const pid of processesOf(this.tag)) process.kill(pid, "SIGKILL");
    if (this.options.keep === true) this.note(`all files are in ${this.folder}`);
    else rmSync(this.folder, { recursive: true, force: true });
  }

  private note(text: string): void {
    this.events.push(text);
    this.options.progress?.(text);
  }

  private async start(): Promise<void> {
    this.ensemble = await startEnsemble(3);
    const zk = `zk://${this.ensemble.servers}/mesos`;
    const numbers = [1, 2, 3];
    const level = `--logging_level=${this.options.keep === true ? "INFO" : "ERROR"}`;
    this.masters = await Promise.all(
      numbers.map((number) =>
        this.daemon("mesos-master", number, [
          level,
          `--zk=${zk}`,
          "--zk_session_timeout=2secs",
          "--hostname=127.0.0.1",
          "--allocation_interval=100ms",
          // So that a frozen agent becomes unreachable unless it comes back soon.
          "--agent_ping_timeout=1secs",
          "--max_agent_ping_timeouts=4",
        ]),
      ),
    );
    this.agents = await Promise.all(
      numbers.map((number) =>
        this.daemon("mesos-agent", number, [
          level,
          `--master=${zk}`,
          "--zk_session_timeout=2secs",
          "--registration_backoff_factor=50ms",
          "--executor_reregistration_timeout=15secs",
          "--resources=cpus:4;mem:4096;disk:4096;ports:[31000-31999]",
          "--launcher=posix",
        ]),
      ),
    );
    const masters = this.masters.map(({ daemon }) => `127.0.0.1:${daemon.port}`).join(",");
    this.frameworks = ["red", "blue"].map((name, index) => {
      const book = this.bookOf(name);
      const { marks, tag } = this;
      const seed = this.options.seed * 10 + index;
      const log = join(this.folder, `${name}.log`);
      return new FrameworkVictim(name, { name, masters, book, marks, tag, seed }, log);
    });
    for (const framework of this.frameworks) await framework.revive();
  }

  private async daemon(
    program: "mesos-master" | "mesos-agent",
    number: number,
    flags: readonly string[],
  ): Promise<DaemonVictim> {
    const name = `${program.slice("mesos-".length)} ${number}`;
    const log = join(this.folder, `${name.replace(" ", "-")}.log`);
    return new DaemonVictim(name, await startDaemon(program, flags, { log }));
  }

  private bookOf(name: string): string {
    return join(this.folder, `${name}.book`);
  }

  private books(): JobBook[] {
    return this.frameworks.map(({ name }) => new JobBook(this.bookOf(name)));
  }

  private async everybodyWorks(): Promise<void> {
    const working = () => this.books().every((book) => this.runningIn(book).length > 0);
    const fault = await this.eventually(async () =>
      working() ? undefined : "not every framework has tasks",
    );
    if (fault !== undefined) throw new Error(fault);
  }

  /** Lets everything settle twice: with the services running, and with nothing running. */
  private async conclude(): Promise<string[]> {
    const faults: (string | undefined)[] = [];
    this.enter("settling");
    const batchesDone = async (): Promise<string | undefined> => {
      const undone = this.books().flatMap((book) => [...book.jobs.values()].filter(isUndone));
      return undone.length === 0 ? undefined : `not done: ${undone.map(({ name }) => name).join(", ")}`;
    };
    faults.push(await this.eventually(batchesDone), await this.eventually(() => this.disagreement()));
    this.note("settled");
    this.enter("ending");
    const allOver = async (): Promise<string | undefined> => {
      const open = this.books().flatMap((book) => book.open());
      return open.length === 0 ? undefined : `not ended: ${open.map(({ task }) => task).join(", ")}`;
    };
    faults.push(await this.eventually(allOver), await this.eventually(() => this.disagreement()));
    faults.push(
      await this.eventually(async () => {
        const left = processesOf(this.tag);
        return left.length === 0 ? undefined : `processes of tasks are left: ${left.join(", ")}`;
      }),
    );
    const marks = readMarks(this.marks);
    for (const book of this.books()) faults.push(...faultsOf(book.jobs.values(), marks));
    for (const framework of this.frameworks) {
      faults.push(framework.fault);
      if (framework.fault === undefined && !(await framework.leave()))
        faults.push(`${framework.name} does not end`);
    }
    return faults.filter((fault) => fault !== undefined);
  }

  private enter(phase: "settling" | "ending"): void {
    for (const framework of this.frameworks) framework.enter(phase);
  }

  /** What frameworks, the leader, the agents and the hosts disagree about; undefined: nothing. */
  private async disagreement(): Promise<string | undefined> {
    const daemons = (victims: readonly DaemonVictim[]) => victims.map(({ daemon }) => daemon);
    const leader = await leaderAmong(daemons(this.masters));
    if (leader === undefined) return "not one master leads";
    const expected = this.books()
      .flatMap((book) => this.runningIn(book))
      .sort();
    const agents = await agentCounts(daemons(this.agents));
    const master = await masterCounts(leader);
    const counts = {
      hosts: { tasks: this.runningOnHosts() },
      agents,
      master: { tasks: master.tasks, metric: master.metric },
      active: { agents: master.agents, frameworks: master.frameworks },
      usedCpus: master.usedCpus,
    };
    const wanted = {
      hosts: { tasks: expected },
      agents: { tasks: expected, metric: expected.length },
      master: { tasks: expected, metric: expected.length },
      active: { agents: this.agents.length, frameworks: this.frameworks.length },
      usedCpus: Math.round(expected.length * CPUS * 1000) / 1000,
    };
    if (isDeepStrictEqual(counts, wanted)) return undefined;
    return `frameworks expect ${JSON.stringify(wanted)}, and there is ${JSON.stringify(counts)}`;
  }

  private runningIn(book: JobBook): string[] {
    return book
      .open()
      .map((attempt) => `${attempt.task} ${TaskState[lastState(attempt) ?? -1] ?? "launched"}`);
  }

  /** The running services, by the locks that processes hold: for each, the task that started last. */
  private runningOnHosts(): string[] {
    const last = new Map([...readMarks(this.marks).keys()].map((task) => [jobOf(task), task]));
    const held = new Set(processesOf(this.tag).flatMap((pid) => heldJob(pid) ?? []));
    return [...held].map((job) => `${last.get(job)} TASK_RUNNING`).sort();
  }

  private summary(): Pick<ChaosResult, "jobs" | "tasks" | "ends"> {
    const jobs = this.books().flatMap((book) => [...book.jobs.values()]);
    const attempts = jobs.flatMap((job) => job.attempts);
    const ends: Record<string, number> = {};
    for (const attempt of attempts) {
      const end = TaskState[endOf(attempt) ?? -1] ?? "nothing";
      ends[end] = (ends[end] ?? 0) + 1;
    }
    return { jobs: jobs.length, tasks: attempts.length, ends };
  }

  /** Asks until nothing is wrong; otherwise returns what is wrong when the time is up. */
  private async eventually(fault: () => Promise<string | undefined>): Promise<string | undefined> {
    const end = performance.now() + SETTLED_WITHIN_MS;
    for (;;) {
      const found = await fault().catch((error: unknown) => String(error));
      if (found === undefined || performance.now() > end) return found;
      await sleep(200);
    }
  }
}

/** A batch job that is not done, or a service that is not running. */
function isUndone({ kind, attempts }: Job): boolean {
  const last = attempts.at(-1);
  const wanted = kind === "batch" ? TaskState.TASK_FINISHED : TaskState.TASK_RUNNING;
  return last === undefined || (endOf(last) ?? lastState(last)) !== wanted;
}
