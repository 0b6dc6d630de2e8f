import { existsSync, statSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { PERL_HELPER } from "../../../plugins/launchers/perl/program.js";
import { posixCommand } from "../../../plugins/launchers/posix/posix-command.js";
import { ShimLauncher } from "../../../plugins/launchers/shim/shim-launcher.js";
import { SwitchboardStreams } from "../../../sdk/container-streams/index.js";
import type { Launcher, LaunchPlan, PlannedSwitchboard } from "../../../sdk/contracts/launcher.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { eventually } from "../../support/eventually.js";
import { requirePart } from "../../support/require-part.js";
import { LinuxBench } from "./support.js";
import { Reading, switchboards } from "./switchboard-support.js";

const KINDS = ["posix", "linux"] as const;

for (const kind of KINDS) {
  describe(`switchboard of the ${kind} launcher`, () => {
    let directory: string;
    let launcher: Launcher;
    let close: () => Promise<void>;
    let bench: LinuxBench | undefined;
    const started: string[] = [];
    let count = 0;

    before(async function () {
      requirePart(this, "perl", "perl-base");
      directory = await mkdtemp(join(tmpdir(), "tepui-switchboard-"));
      await chmod(directory, 0o755);
      if (kind === "linux") {
        const opened = await LinuxBench.open(this);
        bench = opened;
        launcher = await opened.launcher();
        close = () => opened.close();
      } else {
        const posix = posixLauncher();
        await posix.start();
        launcher = posix;
        close = () => posix.stop();
      }
    });

    after(async () => {
      await Promise.all(started.map((id) => launcher.destroy(id)));
      await close?.();
      await rm(directory, { recursive: true, force: true });
    });

    const posixLauncher = (): ShimLauncher =>
      new ShimLauncher({
        name: "posix",
        helpers: [["perl", "-e", PERL_HELPER]],
        logger: new MemoryLogger(),
        command: posixCommand,
      });

    async function run(
      script: string,
      switchboard: Omit<PlannedSwitchboard, "socket"> = {},
      more: Partial<LaunchPlan> = {},
    ) {
      const containerId = `switchboard-${process.pid}-${kind}-${count++}`;
      const socket = join(more.sandbox ?? directory, `${containerId}.sock`);
      const stdout = join(directory, `${containerId}.out`);
      const stderr = join(directory, `${containerId}.err`);
      const plan: LaunchPlan = {
        containerId,
        argv: ["sh", "-c", script],
        environment: { PATH: "/bin:/usr/bin" },
        workingDirectory: directory,
        sandbox: directory,
        user: undefined,
        stdout,
        stderr,
        record: join(directory, `${containerId}.record`),
        outlivesAgent: true,
        contribution: {},
        switchboard: { socket, ...switchboard },
        ...more,
      };
      started.push(containerId);
      const container = await launcher.launch(plan);
      await container.go();
      return { containerId, socket, stdout, stderr, container, streams: new SwitchboardStreams(socket) };
    }

    it("gives a container what is written to it, up to its end, and keeps its output", async () => {
      const { container, streams, stdout, stderr } = await run("cat; echo done >&2; exit 3");
      const reading = new Reading(streams);
      const input = await streams.input();
      await input.write(Buffer.from("hello\n"));
      await reading.has("hello\n");
      await input.write(Buffer.from("world\n"));
      await input.end();
      expect(await container.exited).to.deep.equal({ code: 3, signal: undefined });
      expect(await reading.end()).to.deep.equal({ stdout: "hello\nworld\n", stderr: "done\n" });
      expect(await readFile(stdout, "utf8")).to.equal("hello\nworld\n");
      expect(await readFile(stderr, "utf8")).to.equal("done\n");
    });

    it("leaves no process and no socket when the container ended", async () => {
      const { container, containerId, socket } = await run("echo out");
      await container.exited;
      await eventually(() => (switchboards(containerId).length === 0 ? true : undefined));
      expect(existsSync(socket)).to.equal(false);
    });

    it("gives a terminal of the size asked for, which is the container's own", async () => {
      const { container, streams } = await run(
        "tty; stty size; ps -o tty= -p $$; echo $(( $(ps -o tpgid= -p $$) > 0 ))",
        {
          terminal: { rows: 33, columns: 101 },
          session: true,
        },
      );
      const reading = new Reading(streams);
      await container.exited;
      const { stdout, stderr } = await reading.end();
      expect(stdout).to.match(/^\/dev\/pts\/\d+\r\n33 101\r\npts\/\d+\s*\r\n1\r\n$/);
      expect(stderr).to.equal("");
    });

    it("tells a terminal's programs of a new size, and interrupts them", async () => {
      const script =
        "trap 'stty size' WINCH; trap 'echo interrupted; exit 7' INT; echo ready; while :; do sleep 0.05; done";
      const { container, streams } = await run(script, {
        terminal: { rows: 24, columns: 80 },
        session: true,
      });
      const reading = new Reading(streams);
      await reading.has("ready");
      const input = await streams.input();
      await input.resize({ rows: 50, columns: 132 });
      await reading.has("50 132");
      await input.write(Buffer.from("\u0003"));
      await reading.has("interrupted");
      expect(await container.exited).to.deep.equal({ code: 7, signal: undefined });
    });

    it("lets a terminal live on at the end of a writer's input, and ends it with the character for that", async () => {
      const { container, streams } = await run("cat; echo over", {
        terminal: { rows: 24, columns: 80 },
        session: true,
      });
      const reading = new Reading(streams);
      const first = await streams.input();
      await first.write(Buffer.from("one\n"));
      await reading.has("one\r\none\r\n");
      // As Mesos's CLI does when it lets go.
      await first.end();
      first.close();
      const second = await streams.input();
      await second.write(Buffer.from("two\n"));
      await reading.has("two\r\ntwo\r\n");
      await second.write(Buffer.from("\u0004"));
      await reading.has("over");
      expect(await container.exited).to.deep.equal({ code: 0, signal: undefined });
    });

    it("lets one write at a time, and the next when that one lets go", async () => {
      const { streams, containerId } = await run("cat");
      const reading = new Reading(streams);
      const first = await streams.input();
      const second = await streams.input().catch((error: unknown) => error);
      expect(second).to.have.property("code", "TEPUI_CONTAINER_INPUT_TAKEN");
      await first.write(Buffer.from("first\n"));
      first.close();
      const third = await streams.input();
      await third.write(Buffer.from("third\n"));
      await reading.has("first\nthird\n");
      await third.end();
      await reading.end();
      await launcher.destroy(containerId);
    });

    it("says so when the container does not read any more", async () => {
      const { streams, containerId } = await run("exec <&-; echo closed; sleep 60", { session: true });
      const reading = new Reading(streams);
      await reading.has("closed");
      const input = await streams.input();
      const problem = await eventually(() =>
        input.write(Buffer.from("x")).then(
          () => undefined,
          (error: unknown) => error,
        ),
      );
      expect(problem).to.have.property("code", "TEPUI_CONTAINER_REQUEST_INVALID");
      await launcher.destroy(containerId);
    });

    it("keeps a session's output for who attaches first, though it ended already", async () => {
      const { container, streams, containerId } = await run("echo early", { session: true });
      await container.exited;
      await launcher.destroy(containerId);
      expect(await new Reading(streams).end()).to.deep.equal({ stdout: "early\n", stderr: "" });
    });

    it("does not hold up a container for a reader that stopped reading, and cuts that one off", async () => {
      const { streams, containerId, stdout } = await run("yes");
      const stopped = streams.output(new AbortController().signal)[Symbol.asyncIterator]();
      await stopped.next();
      const size = (): number => statSync(stdout).size;
      // Far more than all buffers on the way.
      await eventually(() => (size() > 8_000_000 ? true : undefined));
      const before = size();
      await eventually(() => (size() > before ? true : undefined));
      const problem = await (async () => {
        while ((await stopped.next()).done !== true);
      })().catch((error: unknown) => error);
      expect(problem).to.have.property("code", "TEPUI_CONTAINER_READER_SLOW");
      await launcher.destroy(containerId);
    });

    it("waits for who reads a session slowly", async () => {
      const { container, streams } = await run("seq 1 2000000", { session: true });
      let length = 0;
      let last = "";
      for await (const { data } of streams.output(new AbortController().signal)) {
        length += data.length;
        last = data.toString().slice(-8);
      }
      expect(length).to.equal(14_888_896);
      expect(last).to.equal("2000000\n");
      expect(await container.exited).to.deep.equal({ code: 0, signal: undefined });
    });

    it("opens the logs as the container's user, who may open its streams again", async () => {
      await chmod(directory, 0o777);
      const { container, streams, stdout } = await run(
        "echo again >/dev/stdout; id -un",
        { session: true },
        { user: "nobody" },
      );
      const { stdout: output } = await new Reading(streams).end();
      await container.exited;
      expect(output).to.equal("again\nnobody\n");
      expect(await readFile(stdout, "utf8")).to.equal("again\nnobody\n");
    });

    it("is reached however long its path is", async () => {
      const deep = join(directory, "x".repeat(100), "y".repeat(100));
      await mkdir(deep, { recursive: true });
      const { streams } = await run("echo deep", { session: true }, { sandbox: deep });
      expect((await new Reading(streams).end()).stdout).to.equal("deep\n");
    });

    if (kind === "linux") {
      it("gives a terminal to a container with a root file system and a process 1 of its own", async () => {
        const contribution = bench!.inRootfs();
        const { container, streams } = await run(
          "stty size; echo console >/dev/console; trap 'echo int; exit 4' INT; while :; do sleep 0.05; done",
          { session: true, terminal: { rows: 7, columns: 9 } },
          { contribution, workingDirectory: "/" },
        );
        const reading = new Reading(streams);
        await reading.has("7 9\r\nconsole\r\n");
        await (await streams.input()).write(Buffer.from("\u0003"));
        expect(await container.exited).to.deep.equal({ code: 4, signal: undefined });
        await reading.end();
      });
    }

    it("fails the launch when a log cannot be opened", async () => {
      const problem = await run("true", {}, { stdout: join(directory, "missing", "out") }).catch(String);
      expect(problem).to.include("missing/out' for the output: No such file or directory");
      expect(switchboards(`switchboard-${process.pid}-${kind}-${count - 1}`)).to.deep.equal([]);
    });
  });
}
