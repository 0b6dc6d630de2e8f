import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { resourceList } from "../../sdk/index.js";
import { until } from "../support/cluster.js";
import { boxed, ContainerHost } from "../support/container-host.js";

/** `TEPUI_CONTAINER_ENDS=1000` runs longer. */
const ROUNDS = Number(process.env.TEPUI_CONTAINER_ENDS ?? 100);
const AT_A_TIME = 10;

/** Ways to outlive the process that is ended; each says `ready` once it is under way. */
const ESCAPES: Readonly<Record<string, string>> = {
  // Of six generations: what it would grow to is no question of how it ends.
  "a fork bomb": `perl -e 'fork for 1 .. 6; sleep 1000 while 1' & echo ready; wait`,
  daemons: `perl -MPOSIX -e 'fork and exit; POSIX::setsid(); fork and exit; chdir "/"; open STDIN, "<", "/dev/null"; sleep 1000' & wait; echo ready; sleep 1000`,
  "sessions of their own": `for i in 1 2 3; do perl -MPOSIX -e 'fork and sleep 1000; POSIX::setsid(); sleep 1000' & done; echo ready; sleep 1000`,
  "deaf processes": `perl -e '$SIG{$_} = "IGNORE" for qw(TERM INT HUP QUIT USR1); fork; fork; sleep 1000 while 1' & echo ready; trap "" TERM; while :; do sleep 1000; done`,
  "stopped processes": `for i in 1 2 3; do sleep 1000 & kill -STOP $!; done; perl -e 'kill STOP => $$ unless fork; sleep 1000' & echo ready; sleep 1000`,
  "processes that keep on forking": `perl -e 'while (1) { my $pid = fork(); next if !defined $pid; select(undef, undef, undef, 0.01) if $pid; exit if $pid }' & echo ready; sleep 1000`,
};

describe("after the end of a container", function () {
  this.timeout(120_000 + ROUNDS * 1200);
  let host: ContainerHost;

  before(async function () {
    host = await ContainerHost.open(this);
  });
  after(() => host?.close());

  /** Every process of this host with this text in its environment. */
  async function processesWith(mark: string): Promise<string[]> {
    const found: string[] = [];
    for (const pid of await readdir("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      const environment = await readFile(join("/proc", pid, "environ"), "latin1").catch(() => "");
      if (environment.includes(mark)) found.push(pid);
    }
    return found;
  }

  const marked = (mark: string, script: string) => ({
    value: script,
    environment: { variables: [{ name: "ESCAPE_MARK", value: mark }] },
  });

  async function ready(name: string): Promise<void> {
    await host.runner.reaches(name, TaskState.TASK_RUNNING);
    const sandboxes = join(await host.workDirectory(), "slaves");
    await until(async () => {
      const [agent] = (await readdir(sandboxes)).filter((entry) => entry !== "latest");
      const frameworks = join(sandboxes, agent!, "frameworks");
      const [framework] = await readdir(frameworks);
      const stdout = join(frameworks, framework!, "executors", name, "runs/latest/stdout");
      return (await readFile(stdout, "utf8").catch(() => "")).includes("ready");
    });
  }

  it(`no process and no control group is left, ${ROUNDS} times out of ${ROUNDS}`, async () => {
    const scripts = Object.values(ESCAPES);
    const mark = `escape-${process.pid}-`;
    for (let round = 0; round < ROUNDS; round += AT_A_TIME) {
      const names = Array.from(
        { length: Math.min(AT_A_TIME, ROUNDS - round) },
        (_, i) => `${mark}${round + i}`,
      );
      for (const [i, name] of names.entries()) {
        const script = scripts[(round + i) % scripts.length]!;
        host.runner.run(name, marked(name, script), {
          resources: resourceList("cpus:0.1;mem:128"),
          // With an image, and with the files of the host.
          ...(i % 2 === 0 && boxed()),
        });
      }
      await Promise.all(names.map(ready));
      expect(await processesWith(mark), "they run").not.to.be.empty;
      await Promise.all(names.map((name) => host.runner.kill(name)));
      await until(async () => (await processesWith(mark)).length === 0 && (await host.groups()).length === 0);
    }
  });

  for (const [kind, script] of Object.entries(ESCAPES)) {
    it(`${kind} end also with the task's own end`, async () => {
      const name = `own-${process.pid}-${kind.replaceAll(" ", "-")}`;
      // The main process ends as soon as the others run.
      host.runner.run(
        name,
        marked(name, `(${script}) > out & until grep -q ready out; do sleep 0.05; done; exit 0`),
        boxed(),
      );
      await host.runner.reaches(name, TaskState.TASK_FINISHED);
      await until(async () => (await processesWith(name)).length === 0 && (await host.groups()).length === 0);
    });
  }
});
