import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { PERL_HELPER } from "../../../plugins/launchers/perl/program.js";
import { posixCommand } from "../../../plugins/launchers/posix/posix-command.js";
import type { HelperCommand } from "../../../plugins/launchers/shim/shim-host.js";
import { ShimLauncher } from "../../../plugins/launchers/shim/shim-launcher.js";
import type { LaunchPlan } from "../../../sdk/contracts/launcher.js";
import { isAlive, readProcessStat } from "../../../sdk/proc/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { eventually } from "../../support/eventually.js";
import { LinuxBench } from "./support.js";

const SUPERVISOR = new URL("../../../plugins/launchers/posix/supervisor.js", import.meta.url).pathname;

const posix = async (helper: HelperCommand): Promise<ShimLauncher> => {
  const options = { name: "posix", helpers: [helper], logger: new MemoryLogger(), command: posixCommand };
  const launcher = new ShimLauncher(options);
  await launcher.start();
  return launcher;
};

type Open = (bench: () => LinuxBench) => Promise<ShimLauncher>;

const LAUNCHERS: readonly { name: string; open: Open; linux?: true }[] = [
  { name: "posix launcher, perl helper", open: () => posix(["perl", "-e", PERL_HELPER]) },
  { name: "posix launcher, node helper", open: () => posix([process.execPath, SUPERVISOR]) },
  { name: "linux launcher", open: (bench) => bench().launcher(), linux: true },
];

for (const { name, open, linux } of LAUNCHERS) {
  describe(`output for a program, ${name}`, () => {
    let bench: LinuxBench | undefined;
    let launcher: ShimLauncher;
    let directory: string;
    let count = 0;

    before(async function () {
      if (linux) bench = await LinuxBench.open(this);
    });

    after(() => bench?.close());

    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), "tepui-output-test-"));
      launcher = await open(() => bench!);
    });

    afterEach(async () => {
      await launcher.stop();
      await rm(directory, { recursive: true, force: true });
    });

    const reader = (file: string) => ({
      command: [
        "/bin/sh",
        "-c",
        'echo "$$ $PWD" >"$0.pid"; cat >"$0"; echo "[end]" >>"$0"',
        join(directory, file),
      ],
    });
    const read = (file: string): Promise<string> => readFile(join(directory, file), "utf8");

    /** Whole: what reads a stream to its end writes this down last, into a directory that is about to be removed. */
    const ended = (file: string, text: string): Promise<true> =>
      eventually(async () => ((await read(file)) === `${text}[end]\n` ? true : undefined));
    const readerOf = (file: string): Promise<number> =>
      eventually(async () => Number(/^(\d+) .*\n/.exec(await read(`${file}.pid`))![1]));

    async function run(script: string, more: Partial<LaunchPlan> = {}) {
      const containerId = `out${process.pid}-${count++}`;
      const plan: LaunchPlan = {
        containerId,
        argv: ["sh", "-c", script],
        environment: { PATH: "/bin:/usr/bin" },
        workingDirectory: directory,
        sandbox: directory,
        user: undefined,
        stdout: reader("out"),
        stderr: reader("err"),
        record: join(directory, containerId),
        outlivesAgent: true,
        contribution: {},
        ...more,
      };
      const container = await launcher.launch(plan);
      await container.go();
      return { plan, container };
    }

    it("reads each stream to its end", async () => {
      const { plan, container } = await run("echo to the one; echo to the other >&2");
      expect(await container.exited).to.deep.equal({ code: 0, signal: undefined });
      await ended("out", "to the one\n");
      await ended("err", "to the other\n");
      expect(await read("out.pid")).to.match(/^\d+ \/\n$/);
      await launcher.destroy(plan.containerId);
    });

    it("goes on without the launcher, and is not ended with the container", async () => {
      const wait = "while [ ! -e release ]; do sleep 0.05; done";
      // What one left behind keeps the stream open until it is ended; without Perl that one cannot be found.
      const leave = name.includes("node helper") ? "" : "setsid sleep 1000 &";
      const { plan } = await run(`echo before; ${wait}; echo after; ${leave} exit 0`);
      const pid = await readerOf("out");
      await launcher.stop();
      const next = await open(() => bench!);
      const found = await next.reattach(plan.containerId, plan.record);
      expect(await next.signal(plan.containerId, 0)).to.equal(true);
      await writeFile(join(directory, "release"), "");
      expect(await found!.exited).to.deep.equal({ code: 0, signal: undefined });
      await next.destroy(plan.containerId);
      await ended("out", "before\nafter\n");
      await ended("err", "");
      await eventually(() => (isAlive(readProcessStat(pid)) ? undefined : true));
      await next.stop();
    });

    if (linux) {
      it("is outside of the container's namespaces and control group", async () => {
        const { plan, container } = await run("sleep 1000", {
          contribution: { namespaces: ["pid", "mount", "network"] },
          user: "nobody",
          workingDirectory: "/",
        });
        const pid = await readerOf("out");
        expect(bench!.group(plan.containerId).processes()).not.to.include(pid);
        expect(readProcessStat(pid)?.parent).not.to.equal(container.pid);
        await launcher.destroy(plan.containerId);
        await ended("out", "");
        await ended("err", "");
      });
    }

    if (!name.includes("node helper")) {
      it("fails the launch when it cannot be started", async () => {
        const stdout = { command: ["/no/such/reader"] };
        const problem = await run("echo never", { stdout }).then(() => "", String);
        expect(problem).to.match(/Failed to execute '\/no\/such\/reader' for the output: No such file/);
        // The other reader was started, and is not left hanging.
        await ended("err", "");
      });
    }
  });
}
