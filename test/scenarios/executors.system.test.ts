import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Cluster, getJson, startCluster, until } from "../support/cluster.js";
import type { Daemon } from "../support/daemons.js";
import { type ExecutorChoice, executorScenarios, type Mortal, playExecutors } from "./executor-scenario.js";

/** Where Mesos's own `mesos-executor` and `mesos-default-executor` are, to be held against ours. */
const STOCK = process.env.TEPUI_STOCK_EXECUTORS;

const stock =
  (driver: boolean): ExecutorChoice =>
  ({ pod }, command) => {
    const task = JSON.stringify({ shell: true, ...command }).replaceAll("'", "'\\''");
    return pod
      ? `exec ${STOCK}/mesos-default-executor --launcher_dir=${STOCK}`
      : `export MESOS_HTTP_COMMAND_EXECUTOR=${driver ? 0 : 1}; exec ${STOCK}/mesos-executor --launcher_dir=${STOCK} --task_command='${task}'`;
  };

const KINDS: Record<string, ExecutorChoice> = {
  "the agent's own": () => undefined,
  ...(STOCK !== undefined && { "Mesos's": stock(false), "Mesos's that speak libprocess": stock(true) }),
};

describe("tasks go through the same with any executor", function () {
  this.timeout(120_000);
  let cluster: Cluster | undefined;
  let agent: Daemon;
  let directory: string;
  let plays = 0;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "tepui-executors-"));
    cluster = await startCluster({
      agentFlags: [
        "--launcher=posix",
        "--isolation=posix/cpu,posix/mem",
        "--executor_reregistration_timeout=10secs",
      ],
    });
    agent = cluster.agents[0]!;
  });

  after(async () => {
    await cluster?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const mortal: Mortal = {
    goes: () => agent.kill(),
    async comes() {
      agent = await agent.restart();
      (cluster!.agents as Daemon[])[0] = agent;
      await until(async () => {
        const { slaves } = (await getJson(cluster!.master, "/slaves")) as { slaves: { active: boolean }[] };
        return slaves.some(({ active }) => active);
      });
    },
  };

  for (const [whose, executor] of Object.entries(KINDS)) {
    for (const scenario of executorScenarios()) {
      // There is one default executor, which speaks HTTP.
      if (scenario.pod && whose.endsWith("libprocess")) continue;
      const play = (dying: { readonly agent?: Mortal } = {}) =>
        playExecutors({
          scenario,
          master: `127.0.0.1:${cluster!.master.port}`,
          executor,
          file: join(directory, `file-${plays++}`),
          ...dying,
        });

      it(`${scenario.name}, with ${whose}`, async () => {
        expect(await play()).to.deep.equal(scenario.expected);
      });

      if (!scenario.steps.some(([step]) => step === "agent")) continue;
      // Over libprocess Mesos's command executor waits one second for an agent that is away, and then takes its last word with it.
      if (whose.endsWith("libprocess") && scenario.steps.some(([step]) => step === "killing")) continue;
      // And none of Mesos's ends a task in time whose time is over while the agent is away.
      if (whose.startsWith("Mesos's") && scenario.limit !== undefined) continue;
      it(`${scenario.name}, with ${whose}, and the agent killed in each phase`, async () => {
        expect(await play({ agent: mortal })).to.deep.equal(scenario.expected);
      });
    }
  }
});
