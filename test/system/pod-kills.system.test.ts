import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  type ExecutorPlay,
  type ExecutorScenario,
  executorScenarios,
  type Mortal,
  playExecutors,
} from "../scenarios/executor-scenario.js";
import { getJson, until } from "../support/cluster.js";
import { ContainerHost, FULL_ISOLATION } from "../support/container-host.js";
import { ContainerTraces } from "../support/container-traces.js";

/** Holds containers at a step while a file of its name is there; `.reached` says that one is held. */
const PLUGIN = `
import { existsSync, writeFileSync } from "node:fs";
import { definePlugin, Isolator } from "SDK";
async function pass(step) {
  const gate = "GATES/" + step;
  if (existsSync(gate)) writeFileSync(gate + ".reached", "");
  while (existsSync(gate)) await new Promise((resolve) => setTimeout(resolve, 10));
}
const within = (id) => (id.includes(".") ? "-within" : "");
export default definePlugin({
  name: "gates",
  version: "1.0.0",
  targets: ["agent"],
  provides: [Isolator],
  setup: (ctx) => ctx.bind(Isolator, {
    name: "test/gates",
    nesting: true,
    prepare: ({ containerId }) => pass(containerId.parent ? "prepare-within" : "prepare"),
    isolate: (id) => pass("isolate" + within(id)),
    update: (id) => pass("update" + within(id)),
  }),
});
`;

/** Where the agent is killed while the container of the pod is being made: then nothing of it was begun, as the master is told. */
const MADE: Readonly<Record<string, string>> = {
  "before the pod's container has a process": "prepare",
  "before the process of the pod's container goes on": "isolate",
};

/** Where the agent is killed later, and still before any task runs. */
const HELD: Readonly<Record<string, string>> = {
  "before the first status": "update",
  "between the first status and the start of the containers": "prepare-within",
  "between the start of the containers and TASK_RUNNING": "isolate-within",
};

describe("a pod of three, of which one waits, one exits and one fails its health checks", function () {
  this.timeout(60_000);
  const scenario: ExecutorScenario = executorScenarios().find(({ name }) => name === "pod-of-three")!;
  const moments = scenario.steps
    .filter(([action, what]) => action === "agent" && what !== "comes")
    .map(([, , ...words]) => words.join(" "));
  let directory: string;
  let host: ContainerHost;
  let traces: ContainerTraces;
  let plays = 0;

  before(async function () {
    directory = await mkdtemp(join(tmpdir(), "tepui-pod-kills-"));
    await mkdir(join(directory, "gates"));
    const sdk = new URL("../../sdk/index.js", import.meta.url).pathname;
    const plugin = join(directory, "gates.mjs");
    await writeFile(plugin, PLUGIN.replace("SDK", sdk).replace("GATES", join(directory, "gates")));
    host = await ContainerHost.open(this, {
      isolation: [...FULL_ISOLATION, "test/gates"],
      plugins: [{ use: plugin, as: "gates", before: "linux-isolators" }],
    });
    traces = await ContainerTraces.of(host.agent, host.cgroupRoot);
  });
  after(async () => {
    await host?.close();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  const gate = (step: string): string => join(directory, "gates", step);

  async function active(): Promise<boolean> {
    const { slaves } = (await getJson(host.cluster.master, "/slaves")) as { slaves: { active: boolean }[] };
    return slaves.every((agent) => agent.active);
  }

  /** Kills the agent at this moment of the scenario, and at no other. */
  function mortalAt(wanted: string): Mortal & { readonly died: () => number } {
    let deaths = 0;
    let away = false;
    return {
      died: () => deaths,
      async goes(moment) {
        if (moment !== wanted) return;
        deaths++;
        away = true;
        await host.agent.kill();
      },
      async comes() {
        if (!away) return;
        away = false;
        host.agent = await host.agent.restart();
        await until(active);
      },
    };
  }

  /** Kills the agent while a container is held at the step. */
  async function dieAt(step: string): Promise<void> {
    await until(() => existsSync(`${gate(step)}.reached`));
    await host.agent.kill();
    await rm(gate(step));
    await rm(`${gate(step)}.reached`);
    host.agent = await host.agent.restart();
    await until(active);
  }

  const play = (more: Partial<ExecutorPlay>): Promise<string[]> =>
    playExecutors({
      scenario,
      master: `127.0.0.1:${host.cluster.master.port}`,
      executor: () => undefined,
      file: join(directory, `file-${plays++}`),
      over: () => traces.gone(),
      ...more,
    });

  it("goes through the states of Mesos, and leaves nothing", async () => {
    expect(moments, "there are some to be killed at").to.have.length.greaterThan(4);
    let running: string[] = [];
    const agent: Mortal = {
      goes: async () => {
        if (running.length === 0) running = await traces.left();
      },
      comes: async () => undefined,
    };
    expect(await play({ agent })).to.deep.equal(scenario.expected);
    for (const kind of ["process", "group", "file"])
      expect(
        running.some((line) => line.startsWith(kind)),
        `${kind}, while it ran`,
      ).to.equal(true);
  });

  for (const [moment, step] of Object.entries(MADE)) {
    it(`tells that its tasks were not launched where the agent is killed ${moment}`, async () => {
      await writeFile(gate(step), "");
      const ids = scenario.tasks.map(({ id }) => id);
      const unlaunched = { ...scenario, steps: ids.map((id) => ["ended", id]) };
      expect(await play({ scenario: unlaunched, launched: () => dieAt(step) })).to.deep.equal(
        ids.map(
          (id) =>
            `${id} TASK_DROPPED REASON_AGENT_RESTARTED "Task launched during agent restart" SOURCE_AGENT`,
        ),
      );
    });
  }

  for (const [moment, step] of Object.entries(HELD)) {
    it(`does so also where the agent is killed ${moment}`, async () => {
      await writeFile(gate(step), "");
      expect(await play({ launched: () => dieAt(step) })).to.deep.equal(scenario.expected);
    });
  }

  for (const moment of moments) {
    it(`does so also where the agent is killed ${moment}`, async () => {
      const agent = mortalAt(moment);
      expect(await play({ agent })).to.deep.equal(scenario.expected);
      expect(agent.died()).to.equal(1);
    });
  }
});
