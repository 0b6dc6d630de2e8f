import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import {
  ContainerInfo_Type,
  Secret_Type,
  TaskState,
  Volume_Mode,
  Volume_Source_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import { until } from "../support/cluster.js";
import { hostMounts } from "../support/host-mounts.js";
import { OneAgent } from "../support/one-agent.js";
import { requirePart, requireThat } from "../support/require-part.js";
import { type Runner, sandboxOf } from "../support/runner.js";

const SECRET = `hunter2-${process.pid}`;

/** A private /var/tmp for everybody who says nothing else. */
const DEFAULT_CONTAINER = {
  type: "MESOS",
  volumes: [{ container_path: "/var/tmp", host_path: "tmp", mode: "RW" }],
};

describe("volumes and namespaces on a real agent", function () {
  this.timeout(60_000);
  let host: OneAgent;
  let runner: Runner;

  before(async function () {
    requireThat(this, process.getuid?.() === 0, "mounts and namespaces need root");
    requirePart(this, "perl", "perl-base");
    host = await OneAgent.open([
      "--launcher=linux",
      "--isolation=filesystem/linux,namespaces/pid,namespaces/ipc,volume/secret",
      `--default_container_info=${JSON.stringify(DEFAULT_CONTAINER)}`,
      "--default_container_shm_size=8MB",
    ]);
    runner = host.runner;
  });

  after(() => host?.close());

  /** Names of the file of the secret in memory. */
  const secrets = (): string[] => {
    try {
      const found = execFileSync("grep", ["-rlF", "--", SECRET, "/dev/shm"], { encoding: "utf8" });
      return found.trim().split("\n");
    } catch {
      // grep found none.
      return [];
    }
  };

  it("give tasks a private directory by default, and processes of their own", async () => {
    const mounts = hostMounts();
    runner.run("default", { value: `touch /var/tmp/${SECRET}; ls /var/tmp; echo $$` });
    await runner.reaches("default", TaskState.TASK_FINISHED);
    const sandbox = await sandboxOf(host.agent, "default");
    expect(await readdir(join(sandbox, "tmp"))).to.deep.equal([SECRET]);
    expect(existsSync(`/var/tmp/${SECRET}`)).to.equal(false);
    const [name, pid] = (await readFile(join(sandbox, "stdout"), "utf8")).split("\n");
    expect(name).to.equal(SECRET);
    expect(Number(pid)).to.be.lessThan(10);
    await until(() => hostMounts().join() === mounts.join(), {
      what: "the mounts to be those of before",
      seen: () => hostMounts().join("\n"),
    });
  });

  it("stay with a task whose agent dies, and go with the task", async () => {
    const data = { type: Secret_Type.VALUE, value: { data: Buffer.from(SECRET) } };
    const source = { type: Volume_Source_Type.SECRET, secret: data };
    const container = {
      type: ContainerInfo_Type.MESOS,
      volumes: [{ container_path: "key", mode: Volume_Mode.RO, source }],
      network_infos: [],
    };
    const value = 'until [ -e go ]; do sleep 0.05; done; [ "$(wc -c < key)" -gt 8 ]';
    runner.run("keeper", { value }, { container });
    await runner.reaches("keeper", TaskState.TASK_RUNNING);
    const sandbox = await sandboxOf(host.agent, "keeper");
    await host.kill();
    expect(secrets()).to.have.length(1);
    expect(await readFile(join(sandbox, "key"), "utf8")).to.equal("");
    await writeFile(join(sandbox, "go"), "");
    await runner.reaches("keeper", TaskState.TASK_FINISHED);
    await until(() => secrets().length === 0);
  });

  it("that nobody gives fail the task, which says who refused", async () => {
    const refused = async (name: string, volume: object): Promise<string> => {
      const volumes = [{ container_path: "in", mode: Volume_Mode.RW, ...volume }];
      runner.run(
        name,
        { value: "true" },
        { container: { type: ContainerInfo_Type.MESOS, volumes, network_infos: [] } },
      );
      await runner.reaches(name, TaskState.TASK_FAILED);
      return runner.last(name)!.message!;
    };
    expect(await refused("missing", { host_path: "/no/such/path" })).to.equal(
      "Failed to launch container: isolator 'volume/host_path' failed to prepare the container: Path '/no/such/path' in HOST_PATH volume does not exist",
    );
    const driver = { type: Volume_Source_Type.DOCKER_VOLUME, docker_volume: { driver: "d", name: "n" } };
    expect(await refused("driver", { source: driver })).to.match(
      /this agent has no volumes of Docker's volume drivers \(an isolator such as docker\/volume\)/,
    );
  });
});
