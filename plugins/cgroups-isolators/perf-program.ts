import { type ChildProcess, execFile } from "node:child_process";
import { type PerfCounts, parsePerfOutput } from "./perf-output.js";

export interface PerfSample {
  readonly events: readonly string[];
  /** As perf takes them: paths below the mount. */
  readonly cgroups: readonly string[];
  /** Milliseconds. */
  readonly duration: number;
}

/** How much longer than its sample perf may take, milliseconds. */
const GRACE_MS = 10_000;
const MOST_OUTPUT = 64 * 1024 * 1024;

/** perf(1), one run at a time. */
export class PerfProgram {
  private running: ChildProcess | undefined;

  constructor(private readonly program = "perf") {}

  /** Rejects where it cannot be run, or knows one of the events not. */
  async check(events: readonly string[]): Promise<void> {
    await this.run(["--version"], 5000);
    await this.run(["stat", ...events.flatMap((event) => ["--event", event]), "true"], 5000);
  }

  /** Counts for some time on all CPUs; by cgroup. */
  async sample({ events, cgroups, duration }: PerfSample): Promise<Map<string, PerfCounts>> {
    const each = events.flatMap((event) =>
      cgroups.flatMap((cgroup) => ["--event", event, "--cgroup", cgroup]),
    );
    const what = ["stat", "--all-cpus", "--field-separator", ",", "--log-fd", "1", ...each];
    return parsePerfOutput(
      await this.run([...what, "--", "sleep", String(duration / 1000)], duration + GRACE_MS),
    );
  }

  /** Ends what runs. */
  stop(): void {
    this.running?.kill("SIGTERM");
  }

  private run(args: readonly string[], timeout: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { timeout, maxBuffer: MOST_OUTPUT, env: { ...process.env, LC_ALL: "C" } };
      const child = execFile(this.program, args, options, (error, stdout, stderr) => {
        if (this.running === child) this.running = undefined;
        if (error === null) resolve(stdout);
        else
          reject(
            new Error(`perf failed: ${stderr.trim().split("\n")[0] || error.message}`, { cause: error }),
          );
      });
      this.running = child;
    });
  }
}
