import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { BASICS } from "../../../plugins/launchers/perl/basics.js";
import { PERL_HELPER } from "../../../plugins/launchers/perl/program.js";
import { posixCommand } from "../../../plugins/launchers/posix/posix-command.js";
import { encodeLaunch } from "../../../plugins/launchers/shim/protocol.js";
import type { HelperCommand } from "../../../plugins/launchers/shim/shim-host.js";
import { ShimLauncher } from "../../../plugins/launchers/shim/shim-launcher.js";
import type { LaunchPlan } from "../../../sdk/contracts/launcher.js";
import { isAlive, processTree, readProcessStat } from "../../../sdk/proc/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { eventually } from "../../support/eventually.js";

type FilePlan = LaunchPlan & { readonly stdout: string; readonly stderr: string };

const posixLauncher = (...helpers: readonly HelperCommand[]): ShimLauncher =>
  new ShimLauncher({ name: "posix", helpers, logger: new MemoryLogger(), command: posixCommand });

const SUPERVISOR = new URL("../../../plugins/launchers/posix/supervisor.js", import.meta.url).pathname;

/** As on a kernel that does not list the children of a thread. */
const SCANNING = PERL_HELPER.replace(/(?<=my \$children_are_listed = ).*(?=;)/, "0");

const HELPERS: readonly { name: string; helper: HelperCommand; reapsOrphans: boolean }[] = [
  { name: "perl", helper: ["perl", "-e", PERL_HELPER], reapsOrphans: true },
  { name: "perl, children not listed,", helper: ["perl", "-e", SCANNING], reapsOrphans: true },
  { name: "node", helper: [process.execPath, SUPERVISOR], reapsOrphans: false },
];

for (const { name, helper, reapsOrphans } of HELPERS) {
  describe(`posix launcher, ${name} helper`, () => {
    let directory: string;
    let launcher: ShimLauncher;
    let count = 0;

    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), "tepui-launcher-"));
      launcher = posixLauncher(helper);
      await launcher.start();
    });

    afterEach(async () => {
      await launcher.stop();
      // Shims of containers that outlive their agent may be writing their last record.
      await rm(directory, { recursive: true, maxRetries: 20, retryDelay: 50 });
    });

    async function plan(argv: readonly string[], more: Partial<FilePlan> = {}): Promise<FilePlan> {
      const containerId = `c${count++}`;
      return {
        containerId,
        argv,
        environment: { PATH: process.env.PATH ?? "/bin:/usr/bin" },
        workingDirectory: directory,
        sandbox: directory,
        user: undefined,
        stdout: join(directory, `${containerId}.out`),
        stderr: join(directory, `${containerId}.err`),
        record: join(directory, containerId),
        contribution: {},
        outlivesAgent: true,
        ...more,
      };
    }

    async function run(argv: readonly string[], more: Partial<FilePlan> = {}) {
      const launched = await plan(argv, more);
      const container = await launcher.launch(launched);
      await container.go();
      return { plan: launched, container };
    }

    const output = (of: FilePlan): Promise<string> => readFile(of.stdout, "utf8");

    it("runs the command only once it is let go", async () => {
      const gated = await plan(["sh", "-c", "echo ran"]);
      const container = await launcher.launch(gated);
      expect(isAlive(readProcessStat(container.pid))).to.equal(true);
      await container.go();
      expect(await container.exited).to.deep.equal({ code: 0, signal: undefined });
      expect(await output(gated)).to.equal("ran\n");
    });

    it("gives exactly the environment, directory and arguments of the plan", async () => {
      const environment = { PATH: process.env.PATH ?? "/bin", GREETING: "a b\nc 'd' \"e\"" };
      const script = 'printf "%s|" "$GREETING" "$PWD" "$HOME" "$@"';
      const { container, plan: used } = await run(["sh", "-c", script, "x", "1 2", "$3"], { environment });
      await container.exited;
      expect(await output(used)).to.equal(`${environment.GREETING}|${directory}||1 2|$3|`);
    });

    it("runs an immediate command without being told to go", async () => {
      const used = await plan(["sh", "-c", "echo ran"], { immediate: true });
      const container = await launcher.launch(used);
      expect(await container.exited).to.deep.equal({ code: 0, signal: undefined });
      await container.go();
      expect(await output(used)).to.equal("ran\n");
    });

    it("keeps the record of the end until it is told to forget", async () => {
      const { container, plan: used } = await run(["sh", "-c", "exit 5"]);
      await container.exited;
      await launcher.destroy(used.containerId);
      expect(await readFile(used.record, "utf8")).to.match(/^started .*\nexited 1280\n$/);
      await launcher.forget(used.record);
      await eventually(() =>
        access(used.record).then(
          () => undefined,
          () => true,
        ),
      );
    });

    it("tells an exit with 143 from a death by SIGTERM", async () => {
      const exited = await run(["sh", "-c", "exit 143"]);
      const killed = await run(["sh", "-c", "kill -TERM $$"]);
      expect(await exited.container.exited).to.deep.equal({ code: 143, signal: undefined });
      expect(await killed.container.exited).to.deep.equal({ code: undefined, signal: 15 });
    });

    it("leaves no ignored signals to the command", async () => {
      const { container, plan: used } = await run(["grep", "SigIgn", "/proc/self/status"]);
      await container.exited;
      expect(await output(used)).to.match(/SigIgn:\s+0+\n/);
    });

    it("leaves no open files to the command", async () => {
      const { container, plan: used } = await run(["sh", "-c", "ls /proc/self/fd"]);
      await container.exited;
      // Those of ls itself: its three, and the directory that it reads.
      expect((await output(used)).trim().split("\n")).to.deep.equal(["0", "1", "2", "3"]);
    });

    it("says why a command cannot be started", async () => {
      const missing = await launcher
        .launch(await plan(["no-such-program"]))
        .then((container) => container.go().then(() => undefined, String), String);
      expect(missing).to.match(/Failed to execute 'no-such-program': No such file or directory/);
    });

    it("refuses what plain processes cannot have", async () => {
      const isolated = await plan(["true"], {
        contribution: { namespaces: ["pid"], rootfs: { path: "/x", mounts: [] } },
      });
      const refused = await launcher.launch(isolated).then(() => "", String);
      expect(refused).to.match(/cannot give a container namespaces \(pid\), a root file system/);
    });

    it("takes nothing in a text for a word of its own", async () => {
      const made = join(directory, "made");
      const words = ["stdout_command", "3", "sh", "-c", `echo > "${made}"; cat`].join("\0");
      const PATH = process.env.PATH ?? "/bin:/usr/bin";
      for (const [what, argv, more] of [
        ["argv", ["sh", "-c", `true\0${words}`], {}],
        ["environment", ["true"], { environment: { PATH, X: `x\0${words}` } }],
        ["directory", ["true"], { workingDirectory: `${directory}\0${words}` }],
      ] as const) {
        const refused = await launcher.launch(await plan(argv, more)).then(() => "", String);
        expect(refused).to.include(`a NUL character in the container's ${what}`);
      }
      expect(await access(made).catch(() => "nothing")).to.equal("nothing");
    });

    if (reapsOrphans) {
      it("writes into no file that a link in the sandbox leads to, nor waits for a reader of a pipe", async () => {
        const refused = async (more: Partial<FilePlan> = {}): Promise<string> =>
          launcher
            .launch(await plan(["echo", "written"], more))
            .then((container) => container.go().then(() => "", String), String);
        const victim = join(directory, "victim");
        await mkdir(victim);
        const [linked, pipe] = [join(directory, "linked"), join(directory, "pipe")];
        await symlink(join(victim, "made"), linked);
        expect(await refused({ stdout: linked })).to.include(`Failed to open '${linked}' for the output`);
        execFileSync("mkfifo", [pipe]);
        expect(await refused({ stdout: pipe })).to.include(`Failed to open '${pipe}' for the output`);
        // The sandbox of a container within another one is within that one's reach.
        const within = join(directory, "containers", "inner");
        await mkdir(within, { recursive: true });
        const { container } = await run(["echo", "written"], { stdout: join(within, "stdout") });
        await container.exited;
        expect(await readFile(join(within, "stdout"), "utf8")).to.equal("written\n");
        await rename(join(directory, "containers"), join(directory, "moved"));
        await mkdir(join(victim, "inner"));
        await symlink(victim, join(directory, "containers"));
        expect(await refused({ stdout: join(within, "stdout") })).to.include("Failed to open");
        expect(await readdir(victim, { recursive: true })).to.deep.equal(["inner"]);
      });
    }

    it("tells of no other container what one has in its name", async () => {
      const other = await run(["sleep", "1000"]);
      const { containerId } = other.plan;
      const failing = await plan([`no-such\nX ${containerId} 0\nD ${containerId}`]);
      const problem = await launcher
        .launch(failing)
        .then((container) => container.go().then(() => "", String), String);
      expect(problem).to.include(`no-such X ${containerId} 0 D ${containerId}`);
      // Asked later, and told of before anything that comes later.
      const after = await run(["true"]);
      await after.container.exited;
      const ended = await Promise.race([other.container.exited.then(() => "ended"), "runs"]);
      expect(ended).to.equal("runs");
      await launcher.destroy(containerId);
      expect((await other.container.exited)?.signal).to.equal(9);
    });

    it("runs what prepares the container before the command, and not the command when that fails", async () => {
      const good = await run(["sh", "-c", "cat made"], { contribution: { preExec: ["echo first > made"] } });
      await good.container.exited;
      expect(await output(good.plan)).to.equal("first\n");
      const bad = await plan(["sh", "-c", "echo never"], { contribution: { preExec: ["false"] } });
      const container = await launcher.launch(bad);
      await container.go().catch(() => undefined);
      expect(await container.exited).not.to.deep.equal({ code: 0, signal: undefined });
      await launcher.destroy(bad.containerId);
      expect(await output(bad).catch(() => "")).to.equal("");
    });

    it("ends a tree in which a child left the session and ignores SIGTERM", async () => {
      const stubborn = "trap '' TERM; echo $$ >&2; while :; do sleep 1; done";
      const { container, plan: used } = await run(["sh", "-c", 'setsid sh -c "$0" & wait', stubborn]);
      const child = await eventually(async () => Number(await readFile(used.stderr, "utf8")) || undefined);
      expect(await launcher.signal(used.containerId, 15)).to.equal(true);
      expect(await container.exited).to.deep.equal({ code: undefined, signal: 15 });
      await launcher.destroy(used.containerId);
      expect(isAlive(readProcessStat(child))).to.equal(false);
    });

    if (reapsOrphans) {
      it("ends a daemon that left its parent, group and session", async () => {
        const daemonize = '(setsid sh -c "echo \\$\\$ >&2; exec sleep 1000" &) ; exec sleep 1000';
        const { plan: used } = await run(["sh", "-c", daemonize]);
        const child = await eventually(async () => Number(await readFile(used.stderr, "utf8")) || undefined);
        await launcher.destroy(used.containerId);
        expect(isAlive(readProcessStat(child))).to.equal(false);
      });
    }

    if (reapsOrphans) {
      for (const signal of ["KILL", "STOP"]) {
        it(`ends a command that sends SIG${signal} to its own shim before that could tell of it`, async () => {
          // Its first words: the shim tells of a command that needs no word to go when this runs.
          const command = `kill -${signal} $PPID; echo $$; exec sleep 1000`;
          const early = await plan(["sh", "-c", command], { immediate: true });
          const launched = launcher.launch(early).then(
            (container) => container.go(),
            () => undefined,
          );
          const pid = await eventually(async () => Number(await output(early).catch(() => "")) || undefined);
          await launcher.destroy(early.containerId);
          expect(isAlive(readProcessStat(pid))).to.equal(false);
          await launched.catch(() => undefined);
        });
      }
    }

    if (reapsOrphans) {
      it("hears of the end of a command that stopped its shim when it is killed", async () => {
        const stopping = await plan(["sh", "-c", "kill -STOP $PPID; exit 3"]);
        const container = await launcher.launch(stopping);
        const going = container.go();
        await eventually(() => (isAlive(readProcessStat(container.pid)) ? undefined : true));
        await launcher.signal(stopping.containerId, 9);
        expect(await container.exited).to.deep.equal({ code: 3, signal: undefined });
        await going;
        await launcher.destroy(stopping.containerId);
      });
    }

    it("ends what a finished command left behind", async () => {
      const { container, plan: used } = await run(["sh", "-c", "sleep 1000 & echo $!"]);
      expect(await container.exited).to.deep.equal({ code: 0, signal: undefined });
      await launcher.destroy(used.containerId);
      expect(isAlive(readProcessStat(Number(await output(used))))).to.equal(false);
    });

    it("destroys a container that was never let go", async () => {
      const gated = await plan(["sh", "-c", "echo ran"]);
      await launcher.launch(gated);
      await launcher.destroy(gated.containerId);
      expect(await output(gated).catch(() => "")).to.equal("");
      expect(await launcher.signal(gated.containerId, 9)).to.equal(false);
    });

    it("finds the true end of a container that outlived its launcher", async () => {
      const { plan: used } = await run(["sh", "-c", "while [ ! -e release ]; do sleep 0.05; done; exit 7"]);
      await launcher.stop();
      const next = posixLauncher(helper);
      const found = await next.reattach(used.containerId, used.record);
      expect(isAlive(readProcessStat(found!.pid))).to.equal(true);
      await writeFile(join(directory, "release"), "");
      expect(await found!.exited).to.deep.equal({ code: 7, signal: undefined });
      await next.destroy(used.containerId);
      await next.stop();
    });

    it("ends a container with the launcher where it is not to outlive it", async () => {
      const used = await plan(["sh", "-c", "sleep 1000 & echo $!; wait"], { outlivesAgent: false });
      const container = await launcher.launch(used);
      await container.go();
      const child = await eventually(async () => Number(await output(used)) || undefined);
      await launcher.stop();
      await eventually(() =>
        [container.pid, child].some((pid) => isAlive(readProcessStat(pid))) ? undefined : true,
      );
    });

    it("finds the true end of a container that ended while there was no launcher", async () => {
      const { plan: used, container } = await run(["sh", "-c", "kill -9 $$"]);
      await container.exited;
      await launcher.destroy(used.containerId);
      const next = posixLauncher(helper);
      const found = await next.reattach(used.containerId, used.record);
      expect(await found!.exited).to.deep.equal({ code: undefined, signal: 9 });
      await next.destroy(used.containerId);
    });

    it("launches a container anew that was not let go while there was a launcher", async () => {
      const gated = await plan(["sh", "-c", "echo ran; exit 3"]);
      await launcher.launch(gated);
      await launcher.stop();
      const record = (): Promise<string> => readFile(gated.record, "utf8");
      await eventually(async () => ((await record()).includes("failed ") ? true : undefined));
      const next = posixLauncher(helper);
      expect(await next.reattach(gated.containerId, gated.record)).to.equal(undefined);
      const container = await next.launch(gated);
      await container.go();
      expect(await container.exited).to.deep.equal({ code: 3, signal: undefined });
      expect(await output(gated)).to.equal("ran\n");
      expect(await record(), "of the second launch alone").not.to.include("failed ");
      await next.destroy(gated.containerId);
      await next.stop();
    });

    it("begins nothing any more when its agent is dead", async () => {
      const launched = await plan(["sh", "-c", "echo ran"], { immediate: true });
      const agent = spawn("sh", ["-c", 'exec 3<&0; "$@" <&3 & echo $! >&2; wait', "sh", ...helper]);
      const ended = once(agent, "close");
      const [said] = (await once(agent.stderr, "data")) as [Buffer];
      const pid = Number(said);
      await once(agent.stdout, "data");
      // It is slow: its agent dies before it has heard what was its last wish.
      process.kill(pid, "SIGSTOP");
      await new Promise((resolve) => agent.stdin.write(encodeLaunch(posixCommand(launched)), resolve));
      agent.kill("SIGKILL");
      await eventually(() => (readProcessStat(pid)!.parent === agent.pid ? undefined : true));
      process.kill(pid, "SIGCONT");
      // With the last process that has its output.
      await ended;
      for (const path of [launched.record, launched.stdout])
        expect(
          await access(path).then(
            () => "there",
            () => "none",
          ),
          path,
        ).to.equal("none");
    });

    it("knows nothing of a container that was never launched", async () => {
      const { record } = await plan(["true"]);
      expect(await launcher.reattach("unknown", record)).to.equal(undefined);
    });

    it("starts a new helper after its own was killed, and still ends the old containers", async () => {
      const { plan: used, container } = await run(["sleep", "1000"]);
      const shim = readProcessStat(readProcessStat(container.pid)!.parent)!;
      const helperPid = reapsOrphans ? shim.parent : shim.pid;
      process.kill(helperPid, "SIGKILL");
      // One that is asked for while the helper dies fails; the next one runs.
      const after = await eventually(() => run(["sh", "-c", "exit 3"]));
      expect(await after.container.exited).to.deep.equal({ code: 3, signal: undefined });
      await launcher.destroy(used.containerId);
      expect(isAlive(readProcessStat(container.pid))).to.equal(false);
    });
  });
}

describe("posix launcher among many processes", () => {
  it("looks at none but the container's own to find what is below a shim", async function () {
    if (!existsSync("/proc/self/io") || !existsSync("/proc/thread-self/children")) return this.skip();
    const many = 300;
    const others = spawn("sh", ["-c", `for i in $(seq ${many}); do sleep 1000 & done; wait`], {
      detached: true,
      stdio: "ignore",
    });
    // A tree of three, and how often it was read for it.
    const probe = String.raw`
      sub reads { open(my $file, "<", "/proc/self/io"); local $/; return <$file> =~ /^syscr: (\d+)$/m ? $1 : die }
      pipe(my $there, my $made);
      if (fork() == 0) { fork() == 0 ? fork() : POSIX::setsid(); syswrite($made, "x"); sleep(1000) }
      my $seen = "";
      sysread($there, $seen, 1, length($seen)) while length($seen) < 3;
      my $before = reads();
      my @listed = sort(descendants());
      my $reads = reads() - $before;
      my @scanned = sort(descendants_of_all());
      kill("KILL", @scanned);
      print "$reads @listed / @scanned";
    `;
    try {
      await eventually(async () => ((await processTree(others.pid!)).length > many ? true : undefined));
      const said = execFileSync("perl", ["-e", BASICS + probe], { encoding: "utf8" });
      const [, reads, listed = "", scanned] = /^(\d+) (.*) \/ (.*)$/.exec(said)!;
      expect(listed.split(" ")).to.have.length(3);
      expect(scanned).to.equal(listed);
      expect(Number(reads)).to.be.lessThan(many);
    } finally {
      process.kill(-others.pid!, "SIGKILL");
    }
  });
});

describe("posix launcher without any helper", () => {
  it("is done with a container that it could not launch", async () => {
    const launcher = posixLauncher(["/no/such/perl"]);
    const plan: LaunchPlan = {
      containerId: "none",
      argv: ["true"],
      environment: {},
      workingDirectory: "/",
      sandbox: "/",
      user: undefined,
      stdout: "/dev/null",
      stderr: "/dev/null",
      record: "/no/such/record",
      contribution: {},
      outlivesAgent: true,
    };
    expect(await launcher.launch(plan).then(() => "", String)).to.include("helper cannot be started");
    await launcher.destroy("none");
    expect(await launcher.launch(plan).then(() => "", String)).to.include("helper cannot be started");
  });

  it("says which were tried", async () => {
    const launcher = posixLauncher(["/no/such/perl"]);
    expect(await launcher.start().then(() => "", String)).to.match(
      /helper cannot be started[\s\S]*\/no\/such\/perl/,
    );
  });
});
