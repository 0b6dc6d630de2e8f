import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import {
  CheckInfo_Type as CheckType,
  ContainerInfo_Type,
  HealthCheck_Type as HealthType,
  type TaskInfo,
  TaskState,
  type TaskStatus,
  TaskStatus_Reason,
} from "../../proto/gen/mesos/v1/mesos.js";
import { DockerBench, IMAGE } from "../plugins/docker-containerizer/support.js";
import { getJson, until } from "../support/cluster.js";
import { CniHost, PLUGINS } from "../support/cni-host.js";
import { OneAgent } from "../support/one-agent.js";
import { requirePart, requireThat } from "../support/require-part.js";

const command = (value: string) => ({ value, shell: true, uris: [], arguments: [] });

const times = { delay_seconds: 0, interval_seconds: 0.1, grace_period_seconds: 0 };

const commandHealth = (value: string, more: object = {}): Partial<TaskInfo> => ({
  health_check: { type: HealthType.COMMAND, command: command(value), ...times, ...more },
});

const text = ({ state, reason, healthy, check_status }: TaskStatus): string =>
  [
    TaskState[state!],
    ...(reason === undefined ? [] : [TaskStatus_Reason[reason]]),
    ...(healthy === undefined ? [] : [`healthy=${healthy}`]),
    ...(check_status === undefined ? [] : [JSON.stringify(check_status.command ?? check_status.http)]),
  ].join(" ");

/** An agent leaves the directory of its networks mounted, for its next run. */
async function unmountNetworks({ agent }: OneAgent): Promise<void> {
  const { flags } = (await getJson(agent, "/flags")) as { flags: { runtime_dir: string } };
  const mounts = (): string[] =>
    readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .filter((path) => path.startsWith(`${flags.runtime_dir}/`));
  // Those of containers go with them.
  await until(() => mounts().every((path) => !path.endsWith("/ns")));
  for (const path of mounts().reverse()) execFileSync("umount", [path]);
}

describe("checks of tasks on a real agent", function () {
  this.timeout(60_000);
  let one: OneAgent;

  const statuses = (name: string): string[] => {
    const seen = new Set<string>();
    return one.runner.updates
      .filter(({ task_id, uuid }) => {
        const key = uuid!.toString("hex");
        if (task_id!.value !== name || seen.has(key)) return false;
        seen.add(key);
        return true;
      })
      .map(text);
  };

  describe("with the posix launcher", () => {
    before(async () => {
      one = await OneAgent.open(["--launcher=posix", "--isolation=posix/cpu,posix/mem"]);
    });
    after(() => one?.close());

    it("kill one that becomes unhealthy, as the command executor of Mesos does", async () => {
      one.runner.run("sick", command("touch well; sleep 1000"), {
        ...commandHealth("test -e well && { echo once > once; test ! -e sick; }", {
          consecutive_failures: 2,
        }),
      });
      await until(() => statuses("sick").some((line) => line.endsWith("healthy=true")));
      one.runner.run("spoil", command('touch "$(ls -d $MESOS_DIRECTORY/../../../sick/runs/latest)/sick"'));
      await one.runner.reaches("sick", TaskState.TASK_KILLED);
      expect(statuses("sick")).to.deep.equal([
        "TASK_STARTING",
        "TASK_RUNNING",
        "TASK_RUNNING REASON_TASK_HEALTH_CHECK_STATUS_UPDATED healthy=true",
        "TASK_RUNNING REASON_TASK_HEALTH_CHECK_STATUS_UPDATED healthy=false",
        "TASK_RUNNING REASON_TASK_HEALTH_CHECK_STATUS_UPDATED healthy=false",
        "TASK_KILLED healthy=false",
      ]);
    });

    it("run a command with the task's environment, tell its exit status, and go on when the agent was killed", async () => {
      one.runner.run(
        "noted",
        { ...command("sleep 1000"), environment: { variables: [{ name: "CODE", value: "5" }] } },
        {
          check: {
            type: CheckType.COMMAND,
            command: { command: command('test -e "$MESOS_SANDBOX/other" && exit 6; exit $CODE') },
            delay_seconds: 0,
            interval_seconds: 0.1,
          },
        },
      );
      const found = (code: number): string =>
        `TASK_RUNNING REASON_TASK_CHECK_STATUS_UPDATED {"exit_code":${code}}`;
      await until(() => statuses("noted").includes(found(5)));
      await one.kill();
      one.runner.run("other", command('touch "$MESOS_DIRECTORY/../../../noted/runs/latest/other"'));
      await until(() => statuses("noted").includes(found(6)));
      await one.runner.kill("noted");
      expect(statuses("noted")).to.deep.equal([
        "TASK_STARTING {}",
        "TASK_RUNNING {}",
        found(5),
        found(6),
        "TASK_KILLED {}",
      ]);
    });
  });

  describe("in a CNI network", () => {
    let host: CniHost | undefined;

    before(async function () {
      requireThat(this, process.geteuid?.() === 0, "networks need root");
      for (const plugin of ["bridge", "host-local"]) requirePart(this, plugin, "containernetworking-plugins");
      host = await CniHost.open();
      await host.configure("a.conf", { cniVersion: "0.3.1", name: "alpha", ...host.bridgePlugin("a") });
      one = await OneAgent.open([
        "--launcher=linux",
        "--isolation=filesystem/linux,network/cni",
        `--network_cni_config_dir=${host.configs}`,
        `--network_cni_plugins_dir=${PLUGINS}`,
      ]);
    });
    after(async () => {
      if (host !== undefined && one !== undefined) await unmountNetworks(one);
      await one?.close();
      await host?.close();
    });

    it("ask a server by HTTP that only its own network can reach", async () => {
      const server = `"${process.execPath}" -e 'let n = 0; require("http").createServer((q, r) => { r.statusCode = n++ < 3 ? 204 : 500; r.end(); }).listen(18080, "127.0.0.1")'`;
      one.runner.run("web", command(server), {
        container: {
          type: ContainerInfo_Type.MESOS,
          volumes: [],
          network_infos: [{ name: "alpha", ip_addresses: [], groups: [], port_mappings: [] }],
        },
        health_check: {
          type: HealthType.HTTP,
          http: { port: 18080, statuses: [] },
          ...times,
          grace_period_seconds: 30,
        },
      });
      await one.runner.reaches("web", TaskState.TASK_KILLED);
      expect(statuses("web")).to.deep.equal([
        "TASK_STARTING",
        "TASK_RUNNING",
        "TASK_RUNNING REASON_TASK_HEALTH_CHECK_STATUS_UPDATED healthy=true",
        ...Array<string>(3).fill("TASK_RUNNING REASON_TASK_HEALTH_CHECK_STATUS_UPDATED healthy=false"),
        "TASK_KILLED healthy=false",
      ]);
    });
  });

  describe("in a Docker container", () => {
    let docker: DockerBench | undefined;

    before(async function () {
      docker = await DockerBench.start(this);
      one = await OneAgent.open([
        "--containerizers=docker,mesos",
        `--docker_socket=${docker.daemon.socket}`,
        "--docker_remove_delay=0ns",
      ]);
    });
    after(async () => {
      await one?.close();
      await docker?.stop();
    });

    it("run commands there", async () => {
      one.runner.run("boxed", command("echo in > /only-here; sleep 3; rm /only-here; sleep 1000"), {
        container: {
          type: ContainerInfo_Type.DOCKER,
          volumes: [],
          network_infos: [],
          docker: { image: IMAGE, port_mappings: [], parameters: [] },
        },
        kill_policy: { grace_period: { nanoseconds: 100_000_000n } },
        ...commandHealth("test -e /only-here", { grace_period_seconds: 30 }),
      });
      await one.runner.reaches("boxed", TaskState.TASK_KILLED);
      expect(statuses("boxed")).to.deep.equal([
        "TASK_STARTING",
        "TASK_RUNNING",
        "TASK_RUNNING REASON_TASK_HEALTH_CHECK_STATUS_UPDATED healthy=true",
        ...Array<string>(3).fill("TASK_RUNNING REASON_TASK_HEALTH_CHECK_STATUS_UPDATED healthy=false"),
        "TASK_KILLED healthy=false",
      ]);
    });
  });
});
