import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  CheckInfo_Type as CheckType,
  ContainerInfo_Type,
  HealthCheck_Type as HealthType,
  Image_Type,
  type TaskInfo,
  TaskState,
  type TaskStatus,
  TaskStatus_Reason,
} from "../../proto/gen/mesos/v1/mesos.js";
import { makeCertificate } from "../plugins/checkers/certificate.js";
import { DockerBench, IMAGE } from "../plugins/docker-containerizer/support.js";
import { until } from "../support/cluster.js";
import { CniHost, PLUGINS, unmountNetworks } from "../support/cni-host.js";
import { ContainerHost } from "../support/container-host.js";
import { eventually } from "../support/eventually.js";
import { OneAgent } from "../support/one-agent.js";
import { PodRunner } from "../support/pod-runner.js";
import { requirePart, requireThat } from "../support/require-part.js";
import type { Runner } from "../support/runner.js";

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
    ...(check_status === undefined
      ? []
      : [JSON.stringify(check_status.command ?? check_status.http ?? check_status.tcp)]),
  ].join(" ");

const KILLED_FOR_HEALTH = [
  "TASK_STARTING",
  "TASK_RUNNING",
  "TASK_RUNNING REASON_TASK_HEALTH_CHECK_STATUS_UPDATED healthy=true",
  ...Array<string>(3).fill("TASK_RUNNING REASON_TASK_HEALTH_CHECK_STATUS_UPDATED healthy=false"),
  "TASK_KILLED healthy=false",
];

/** What was told of a task, each status once. */
function distinct({ updates }: Pick<Runner, "updates">, name: string): string[] {
  const seen = new Set<string>();
  return updates
    .filter(({ task_id, uuid }) => {
      const key = uuid!.toString("hex");
      if (task_id!.value !== name || seen.has(key)) return false;
      seen.add(key);
      return true;
    })
    .map(text);
}

describe("checks of tasks on a real agent", function () {
  this.timeout(60_000);
  let one: OneAgent;

  const statuses = (name: string): string[] => distinct(one.runner, name);

  describe("with the posix launcher", () => {
    before(async () => {
      one = await OneAgent.open(["--launcher=posix", "--isolation=posix/cpu,posix/mem"]);
    });
    after(() => one?.close());

    it("kill one that becomes unhealthy, as the command executor of Mesos does", async () => {
      one.runner.run("sick", command("touch well; sleep 1000"), {
        ...commandHealth("test -e well && { echo once > once; test ! -e sick; }", {
          consecutive_failures: 2,
          // The first check may be faster than the task.
          grace_period_seconds: 30,
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
    let directory: string;

    before(async function () {
      requireThat(this, process.geteuid?.() === 0, "networks need root");
      requirePart(this, "openssl", "openssl");
      for (const plugin of ["bridge", "host-local"]) requirePart(this, plugin, "containernetworking-plugins");
      directory = await mkdtemp(join(tmpdir(), "tepui-checks-"));
      makeCertificate(directory);
      host = await CniHost.open(this);
      await host.configure("a.conf", { cniVersion: "0.3.1", name: "alpha", ...host.bridgePlugin("a") });
      one = await OneAgent.open([
        "--launcher=linux",
        "--isolation=filesystem/linux,network/cni",
        `--network_cni_config_dir=${host.configs}`,
        `--network_cni_plugins_dir=${PLUGINS}`,
      ]);
    });
    after(async () => {
      if (host !== undefined && one !== undefined) await unmountNetworks(one.agent);
      await one?.close();
      await host?.close();
      if (directory !== undefined) await rm(directory, { recursive: true });
    });

    /** Servers in Node that say three times that they are well, and then that they are not. */
    const answers = (program: string): string =>
      `"${process.execPath}" -e 'let n = 0; const listen = (server) => server.listen(18080, "127.0.0.1"); ${program}'`;
    const REPLY = "(q, r) => { r.statusCode = n++ < 3 ? 204 : 500; r.end(); }";
    const KINDS: Readonly<Record<string, (certificate: string) => string>> = {
      http: () => answers(`listen(require("http").createServer(${REPLY}))`),
      https: (certificate) =>
        answers(
          `const f = (name) => require("fs").readFileSync("${certificate}/" + name);` +
            `listen(require("https").createServer({ key: f("key"), cert: f("cert") }, ${REPLY}))`,
        ),
      grpc: () =>
        answers(
          `listen(require("http2").createServer().on("stream", (s) => {` +
            `s.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });` +
            `s.on("wantTrailers", () => s.sendTrailers({ "grpc-status": "0" }));` +
            "s.end(Buffer.from([0, 0, 0, 0, 2, 8, n++ < 3 ? 1 : 2])); }))",
        ),
    };
    const network = {
      container: {
        type: ContainerInfo_Type.MESOS,
        volumes: [],
        network_infos: [{ name: "alpha", ip_addresses: [], groups: [], port_mappings: [] }],
      },
    };
    for (const kind of ["http", "https", "grpc"]) {
      it(`ask a server by ${kind} that only its own network can reach`, async () => {
        one.runner.run(kind, command(KINDS[kind]!(directory)), {
          ...network,
          health_check: {
            type: HealthType.HTTP,
            http: { port: 18080, scheme: kind, statuses: [] },
            ...times,
            grace_period_seconds: 30,
          },
        });
        await one.runner.reaches(kind, TaskState.TASK_KILLED);
        expect(statuses(kind)).to.deep.equal(KILLED_FOR_HEALTH);
      });
    }

    it("connect by TCP to a port of its own network, until nobody listens there", async () => {
      const server = answers(
        'const server = listen(require("net").createServer((s) => { s.end(); if (++n === 3) server.close(); }));' +
          "setInterval(() => 0, 1000)",
      );
      one.runner.run("tcp", command(server), {
        ...network,
        health_check: { type: HealthType.TCP, tcp: { port: 18080 }, ...times, grace_period_seconds: 30 },
      });
      await one.runner.reaches("tcp", TaskState.TASK_KILLED);
      expect(statuses("tcp")).to.deep.equal(KILLED_FOR_HEALTH);
    });

    const POD_CHECKS = {
      http: {
        check: CheckType.HTTP,
        health: HealthType.HTTP,
        good: '{"status_code":204}',
        bad: '{"status_code":500}',
      },
      tcp: {
        check: CheckType.TCP,
        health: HealthType.TCP,
        good: '{"succeeded":true}',
        bad: '{"succeeded":false}',
      },
    } as const;
    for (const kind of ["http", "tcp"] as const) {
      it(`ask the tasks of a pod by ${kind} in its network, also when the agent was killed`, async () => {
        const { good, bad, ...types } = POD_CHECKS[kind];
        const [noted, cared] = [`${kind}-noted`, `${kind}-cared`];
        const file = (name: string): string => join(directory, name);
        /** Answers as long as its file is there; otherwise with a failure, or not at all. */
        const server = (name: string, port: number): string =>
          `"${process.execPath}" -e 'const well = () => require("fs").existsSync("${file(name)}");` +
          (kind === "http"
            ? `require("http").createServer((q, r) => { r.statusCode = well() ? 204 : 500; r.end(); }).listen(${port})'`
            : `const s = require("net").createServer((c) => c.end()).listen(${port}); setInterval(() => well() || s.close(), 10)'`);
        const to = (port: number) => ({ [kind]: { port } });
        await Promise.all([noted, cared].map((name) => writeFile(file(name), "")));
        const runner = new PodRunner(one.cluster);
        const told = (name: string): string[] => distinct(runner, name);
        const tells = (name: string, line: string): Promise<true> =>
          eventually(() => told(name).includes(line) || undefined, 30_000);
        const checked = (found: string): string => `TASK_RUNNING REASON_TASK_CHECK_STATUS_UPDATED ${found}`;
        const health = (healthy: boolean): string =>
          `TASK_RUNNING REASON_TASK_HEALTH_CHECK_STATUS_UPDATED healthy=${healthy}`;
        try {
          await runner.start();
          runner.run(
            `${kind}-pod`,
            [
              {
                id: noted,
                command: server(noted, 18080),
                more: { check: { type: types.check, ...to(18080), ...times } },
              },
              {
                id: cared,
                command: server(cared, 18081),
                more: {
                  health_check: {
                    type: types.health,
                    ...to(18081),
                    ...times,
                    grace_period_seconds: 60,
                  },
                },
              },
            ],
            network,
          );
          await tells(noted, checked(good));
          await tells(cared, health(true));
          await one.agent.kill();
          await rm(file(noted));
          await one.start();
          await tells(noted, checked(bad));
          await rm(file(cared));
          await runner.reaches(cared, TaskState.TASK_KILLED);
          await runner.reaches(noted, TaskState.TASK_KILLED);
          // Before it listens, a task may be found not to.
          expect(told(noted).slice(told(noted).indexOf(checked(good)))).to.deep.equal([
            checked(good),
            checked(bad),
            `TASK_KILLED healthy=false {}`,
          ]);
          expect(told(cared)).to.deep.equal([
            "TASK_STARTING",
            "TASK_RUNNING",
            health(true),
            ...Array<string>(3).fill(health(false)),
            "TASK_KILLED healthy=false",
          ]);
        } finally {
          await runner.stop();
        }
      });
    }

    it("run a command in its own network", async () => {
      // 18080, in what the kernel lists of the network that the command is in.
      const listens = "grep -q :46A0 /proc/net/tcp && touch seen";
      const server = answers(
        'const server = listen(require("net").createServer());' +
          'setInterval(() => require("fs").existsSync("seen") && server.close(), 50)',
      );
      one.runner.run("command", command(server), {
        ...network,
        ...commandHealth(listens, { grace_period_seconds: 30 }),
      });
      await one.runner.reaches("command", TaskState.TASK_KILLED);
      expect(statuses("command")).to.deep.equal(KILLED_FOR_HEALTH);
    });
  });

  describe("in a container of an image", () => {
    let host: ContainerHost | undefined;

    before(async function () {
      host = await ContainerHost.open(this);
    });
    after(() => host?.close());

    it("run commands of the image, in its root", async () => {
      const { runner } = host!;
      const task = "echo in > /only-here; until test -e /seen; do sleep 0.1; done; rm /only-here; sleep 1000";
      const inside = `test ! -e ${process.cwd()} && test -e /only-here && touch /seen`;
      runner.run("imaged", command(task), {
        container: {
          type: ContainerInfo_Type.MESOS,
          mesos: { image: { type: Image_Type.DOCKER, docker: { name: "box" } } },
          volumes: [],
          network_infos: [],
        },
        ...commandHealth(inside, { grace_period_seconds: 30 }),
      });
      await runner.reaches("imaged", TaskState.TASK_KILLED);
      expect(distinct(runner, "imaged")).to.deep.equal(KILLED_FOR_HEALTH);
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
      const task = "echo in > /only-here; until test -e /seen; do sleep 0.1; done; rm /only-here; sleep 1000";
      one.runner.run("boxed", command(task), {
        container: {
          type: ContainerInfo_Type.DOCKER,
          volumes: [],
          network_infos: [],
          docker: { image: IMAGE, port_mappings: [], parameters: [] },
        },
        kill_policy: { grace_period: { nanoseconds: 100_000_000n } },
        ...commandHealth("test -e /only-here && touch /seen", { grace_period_seconds: 30 }),
      });
      await one.runner.reaches("boxed", TaskState.TASK_KILLED);
      expect(statuses("boxed")).to.deep.equal(KILLED_FOR_HEALTH);
    });

    it("end a command that takes too long, which counts as a failure", async () => {
      const mark = `${process.pid}4711`;
      const sleeps = (): number => commandLines().filter((line) => line === `sleep ${mark}`).length;
      let most = 0;
      one.runner.run("slow", command("sleep 1000"), {
        container: {
          type: ContainerInfo_Type.DOCKER,
          volumes: [],
          network_infos: [],
          docker: { image: IMAGE, port_mappings: [], parameters: [] },
        },
        kill_policy: { grace_period: { nanoseconds: 100_000_000n } },
        ...commandHealth(`exec sleep ${mark}`, { timeout_seconds: 1 }),
      });
      const killed = one.runner.reaches("slow", TaskState.TASK_KILLED);
      await until(() => {
        most = Math.max(most, sleeps());
        return statuses("slow").filter((line) => line.endsWith("healthy=false")).length >= 2;
      });
      // One at a time: the one before is gone.
      expect(most).to.equal(1);
      await killed;
      expect(statuses("slow")).to.deep.equal([
        "TASK_STARTING",
        "TASK_RUNNING",
        ...Array<string>(3).fill("TASK_RUNNING REASON_TASK_HEALTH_CHECK_STATUS_UPDATED healthy=false"),
        "TASK_KILLED healthy=false",
      ]);
      await until(() => sleeps() === 0);
    });
  });
});

const commandLines = (): string[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim();
      } catch {
        return "";
      }
    });
