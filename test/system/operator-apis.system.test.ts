import { expect } from "chai";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { RecordDecoder } from "../../sdk/recordio/index.js";
import { type Cluster, startCluster, until } from "../support/cluster.js";
import type { Daemon } from "../support/daemons.js";
import { PodRunner } from "../support/pod-runner.js";

interface Answer {
  readonly get_containers: {
    readonly containers?: readonly {
      readonly container_id: { readonly value: string; readonly parent?: { readonly value: string } };
      readonly executor_id?: { readonly value: string };
      readonly container_status?: { readonly executor_pid?: number };
    }[];
  };
  readonly get_tasks: { readonly launched_tasks: readonly { readonly name: string }[] };
  readonly get_executors: {
    readonly executors: readonly {
      readonly executor_info: { readonly executor_id: { readonly value: string } };
    }[];
    readonly completed_executors?: Answer["get_executors"]["executors"];
  };
  readonly list_files: { readonly file_infos: readonly { readonly path: string; readonly size: number }[] };
  readonly read_file: { readonly size: number; readonly data: string };
}

const HEADERS = { "content-type": "application/json" };

async function ask({ port }: Daemon, type: string, part: object = {}): Promise<Answer> {
  const body = JSON.stringify({ type, [type.toLowerCase()]: part });
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1`, { method: "POST", headers: HEADERS, body });
  expect(answer.status, `${type}: ${answer.statusText}`).to.equal(200);
  return (await answer.json()) as Answer;
}

/** Notes the types of the events of a master, and of what task each is. */
async function follow({ port }: Daemon, events: string[], signal: AbortSignal): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1`, {
    method: "POST",
    headers: HEADERS,
    body: '{"type":"SUBSCRIBE"}',
    signal,
  });
  const decoder = new RecordDecoder(1 << 24);
  const read = async (): Promise<void> => {
    for await (const chunk of answer.body!)
      for (const record of decoder.push(Buffer.from(chunk as Uint8Array))) {
        const { type, task_added: added, task_updated: updated } = JSON.parse(Buffer.from(record).toString());
        const task = added?.task.task_id.value ?? updated?.status.task_id.value;
        events.push([type, task, updated?.state].filter(Boolean).join(" "));
      }
  };
  read().catch((error: unknown) => {
    if (!signal.aborted) events.push(String(error));
  });
}

describe("the operator APIs of real daemons", function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let runner: PodRunner;
  const left = new AbortController();
  const events: string[] = [];

  before(async () => {
    cluster = await startCluster({ agentFlags: ["--launcher=posix", "--isolation=posix/cpu,posix/mem"] });
    await follow(cluster.master, events, left.signal);
    runner = new PodRunner(cluster);
    await runner.start();
  });

  after(async () => {
    left.abort();
    await runner?.stop();
    await cluster?.stop();
  });

  it("show a pod, the containers within it and their files, while it runs and after it", async () => {
    const agent = cluster.agents[0]!;
    runner.run("pod", [
      { id: "one", command: "echo said; until [ -e ../../go ]; do sleep 0.05; done" },
      { id: "two", command: "until [ -e ../../go ]; do sleep 0.05; done" },
    ]);
    await runner.reaches("one", TaskState.TASK_RUNNING);
    await runner.reaches("two", TaskState.TASK_RUNNING);

    const outer = (await ask(agent, "GET_CONTAINERS")).get_containers.containers ?? [];
    expect(outer.map(({ executor_id }) => executor_id?.value)).to.deep.equal(["pod"]);
    const root = outer[0]!.container_id.value;
    const { containers = [] } = (await ask(agent, "GET_CONTAINERS", { show_nested: true })).get_containers;
    const within = containers.filter(({ container_id }) => container_id.parent?.value === root);
    expect(containers).to.have.length(3);
    expect(within).to.have.length(2);
    for (const { container_status } of within) process.kill(container_status!.executor_pid!, 0);

    const { get_tasks } = await ask(agent, "GET_TASKS");
    expect(get_tasks.launched_tasks.map(({ name }) => name).sort()).to.deep.equal(["one", "two"]);

    const executors = (await ask(agent, "GET_EXECUTORS")).get_executors.executors;
    expect(executors.map(({ executor_info }) => executor_info.executor_id.value)).to.deep.equal(["pod"]);
    const frameworkId = await frameworkOf(agent);
    const task = `/frameworks/${frameworkId}/executors/pod/runs/latest/tasks/one`;
    await until(async () => {
      const { file_infos } = (await ask(agent, "LIST_FILES", { path: task })).list_files;
      return file_infos.some(({ path, size }) => path === `${task}/stdout` && size > 0);
    });
    const { data } = (await ask(agent, "READ_FILE", { path: `${task}/stdout`, offset: 0 })).read_file;
    expect(Buffer.from(data, "base64").toString()).to.contain("said\n");

    await runner.kill("two");
    await runner.reaches("two", TaskState.TASK_KILLED);
    await until(async () => {
      const { get_containers } = await ask(agent, "GET_CONTAINERS", { show_nested: true });
      return (get_containers.containers ?? []).length === 0;
    });
    await until(async () => {
      const { completed_executors = [] } = (await ask(agent, "GET_EXECUTORS")).get_executors;
      return completed_executors.some(({ executor_info }) => executor_info.executor_id.value === "pod");
    });
    await until(() => events.includes("TASK_UPDATED two TASK_KILLED"));
    const of = (task: string) => events.filter((event) => event.includes(` ${task}`)).slice(0, 3);
    for (const task of ["one", "two"]) {
      expect(of(task)).to.deep.equal([
        `TASK_ADDED ${task}`,
        `TASK_UPDATED ${task} TASK_STARTING`,
        `TASK_UPDATED ${task} TASK_RUNNING`,
      ]);
    }
    expect(events[0]).to.equal("SUBSCRIBED");
    expect(events).to.include("FRAMEWORK_ADDED");
  });

  it("raise the level of the log of each daemon", async () => {
    for (const daemon of [cluster.master, cluster.agents[0]!]) {
      const url = `http://127.0.0.1:${daemon.port}/logging/toggle`;
      const level = async (): Promise<string> => (await fetch(url)).text();
      await fetch(`${url}?level=1&duration=1hrs`);
      expect(await level()).to.equal("1\n");
      await ask(daemon, "GET_LOGGING_LEVEL");
      const body =
        '{"type":"SET_LOGGING_LEVEL","set_logging_level":{"level":0,"duration":{"nanoseconds":1}}}';
      await fetch(`http://127.0.0.1:${daemon.port}/api/v1`, { method: "POST", headers: HEADERS, body });
      expect(await level()).to.equal("0\n");
    }
  });
});

async function frameworkOf({ port }: Daemon): Promise<string> {
  const state = await (await fetch(`http://127.0.0.1:${port}/state`)).json();
  return (state as { frameworks: { id: string }[] }).frameworks[0]!.id;
}
