import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { runBackup } from "../../bin/commands/backup.js";
import { runRestore } from "../../bin/commands/restore.js";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { isAlive, readProcessStat } from "../../sdk/proc/index.js";
import { getJson, until } from "../support/cluster.js";
import { eventually } from "../support/eventually.js";
import { OneAgent } from "../support/one-agent.js";

const root = new URL("../../..", import.meta.url).pathname;

interface Running {
  readonly container_id: string;
  readonly executor_id: string;
  readonly status: { readonly executor_pid: number };
}

/** Runs a command's function; throws with what it complains about. */
async function succeeds(run: (streams: { stdout: Sink; stderr: Sink }) => Promise<number>): Promise<void> {
  const stderr = new Sink();
  const code = await run({ stdout: new Sink(), stderr });
  expect({ code, complaints: stderr.text }).to.deep.equal({ code: 0, complaints: "" });
}

class Sink {
  text = "";
  write(chunk: string | Uint8Array): void {
    this.text += String(chunk);
  }
}

const backup = (from: string, file: string) =>
  succeeds((streams) => runBackup({ from, file, timeout: 20_000 }, streams));
const restore = (file: string, to: string | undefined, force = false) =>
  succeeds((streams) => runRestore({ file, to, force, timeout: 20_000 }, streams));

describe("an agent whose memory is put back, while its tasks run", function () {
  this.timeout(120_000);
  let folder: string;
  let file: string;
  let host: OneAgent;
  let workDir: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tepui-agent-backup-"));
    file = join(folder, "agent.tar");
    host = await OneAgent.open(["--launcher=linux"]);
    const { flags } = (await getJson(host.agent, "/flags")) as { flags: { work_dir: string } };
    workDir = flags.work_dir;
  });
  afterEach(async () => {
    await host.close();
    await rm(folder, { recursive: true, force: true });
  });

  const meta = () => join(workDir, "meta");
  const agentId = async () => ((await getJson(host.agent, "/state")) as { id: string }).id;
  const containers = async () => (await getJson(host.agent, "/containers")) as Running[];
  const pidOf = async (task: string) =>
    (await containers()).find((one) => one.executor_id === task)!.status.executor_pid;

  /** Two tasks: one stays, one waits for a file and fails with its own status then. */
  async function launchTwo(): Promise<{ endOne: () => Promise<void>; pids: () => Promise<number[]> }> {
    const mark = join(folder, "end");
    host.runner.run("stays", { value: "exec sleep 1000" });
    host.runner.run("ends", { value: `while [ ! -e ${mark} ]; do sleep 0.05; done; exit 7` });
    await host.runner.reaches("stays", TaskState.TASK_RUNNING);
    await host.runner.reaches("ends", TaskState.TASK_RUNNING);
    return {
      endOne: () => writeFile(mark, ""),
      pids: () => Promise.all([pidOf("stays"), pidOf("ends")]),
    };
  }

  const ways: Record<string, { save: () => Promise<void>; putBack: () => Promise<void> }> = {
    "tepui backup and restore": {
      save: () => backup(workDir, file),
      putBack: () => restore(file, workDir),
    },
    "a plain copy": {
      save: () => cp(meta(), join(folder, "meta"), { recursive: true, verbatimSymlinks: true }),
      putBack: () => cp(join(folder, "meta"), meta(), { recursive: true, verbatimSymlinks: true }),
    },
  };

  for (const [way, { save, putBack }] of Object.entries(ways)) {
    it(`finds them again, with what ended meanwhile (${way})`, async () => {
      const { endOne, pids } = await launchTwo();
      const [id, [stays, ends]] = [await agentId(), await pids()];
      await save();
      await host.agent.kill();
      await rm(meta(), { recursive: true });
      await endOne();
      await until(() => !isAlive(readProcessStat(ends!)));
      await putBack();
      await host.start();

      await host.runner.reaches("ends", TaskState.TASK_FAILED);
      expect(host.runner.last("ends")!.message).to.equal("Command exited with status 7");
      expect([await agentId(), await pidOf("stays")]).to.deep.equal([id, stays]);
      await host.runner.kill("stays");
      await until(() => !isAlive(readProcessStat(stays!)));
    });
  }

  it("ends what was launched since, and says so", async () => {
    const { pids } = await launchTwo();
    const [stays] = await pids();
    await backup(workDir, file);
    host.runner.run("later", { value: "exec sleep 1000" });
    await host.runner.reaches("later", TaskState.TASK_RUNNING);
    const later = await pidOf("later");
    await host.agent.kill();
    await restore(file, workDir, true);
    // What was there is kept beside it.
    expect((await readdir(workDir)).filter((name) => name.startsWith("meta.before-"))).to.have.length(1);
    await host.start();

    await host.runner.reaches("later", TaskState.TASK_LOST);
    await until(() => !isAlive(readProcessStat(later)));
    expect(await pidOf("stays")).to.equal(stays);
    expect((await containers()).map(({ executor_id }) => executor_id)).to.not.include("later");
  });

  it("is left alone while it runs, also by a second agent", async () => {
    await backup(workDir, file);
    const stderr = new Sink();
    const options = { file, to: workDir, force: true, timeout: 20_000 };
    expect(await runRestore(options, { stdout: new Sink(), stderr })).to.equal(1);
    expect(stderr.text).to.contain(`another process uses ${meta()}; stop it`);
    const { port } = host.agent;
    const flags = host.agent.process.spawnargs.filter((arg) => arg.startsWith("--"));
    const second = spawn(
      process.execPath,
      [join(root, "bin/mesos-agent"), ...flags, "--port=0"].filter((arg) => arg !== `--port=${port}`),
    );
    let said = "";
    second.stderr.on("data", (chunk) => (said += String(chunk)));
    const [code] = (await once(second, "close")) as [number];
    expect(code).to.equal(1);
    expect(said).to.contain(`Another daemon of the same kind uses the work_dir: agent, '${workDir}'`);
    expect(said, "and touched nothing").not.to.contain("sandbox-fetch]");
    expect(await agentId()).to.be.a("string");
  });

  it("loses nothing by backups and restores that are killed on the way", async () => {
    const { pids } = await launchTwo();
    const [stays] = await pids();
    const killed = async (args: readonly string[], after: number): Promise<void> => {
      const child = spawn(process.execPath, [join(root, "bin/tepui"), ...args], { stdio: "ignore" });
      const exited = once(child, "exit");
      await Promise.race([sleep(after), exited]);
      child.kill("SIGKILL");
      await exited;
    };
    for (const after of [150, 250, 350, 450, 550, 650]) {
      const archive = join(folder, `${after}.tar`);
      await killed(["backup", workDir, archive], after);
      // There is none, or it is whole.
      if ((await readdir(folder)).includes(`${after}.tar`)) await restore(archive, undefined);
    }
    await backup(workDir, file);
    await host.agent.kill();
    for (const after of [150, 300, 450, 600]) {
      await rename(meta(), join(folder, `meta-${after}`));
      await killed(["restore", file, workDir], after);
      const restored = (await readdir(workDir)).includes("meta");
      await restore(file, workDir, restored);
    }
    await host.start();
    // It answers once it has found them.
    const found = await eventually(containers, 60_000);
    expect(found.map(({ executor_id }) => executor_id).sort()).to.deep.equal(["ends", "stays"]);
    expect(await pidOf("stays")).to.equal(stays);
    await host.runner.kill("stays");
  });
});
