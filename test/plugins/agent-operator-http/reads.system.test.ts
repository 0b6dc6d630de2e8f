import { readFileSync } from "node:fs";
import { expect } from "chai";
import * as codecs from "../../../proto/gen/json/mesos/v1/agent/agent.js";
import {
  Call_Type,
  type Response,
  type Response_GetState,
  Response_Type,
} from "../../../proto/gen/mesos/v1/agent/agent.js";
import type { Task } from "../../../proto/gen/mesos/v1/mesos.js";
import type { AgentContainer } from "../../../sdk/contracts/agent-containers.js";
import type { AgentExecutorView, AgentFrameworkView } from "../../../sdk/contracts/agent-view.js";
import { EndpointBench } from "./support.js";

/** What a Mesos agent answered. */
function captured(name: string): { readonly text: string; readonly message: Response } {
  const text = readFileSync(`test/proto/fixtures/agent-${name}.json`, "utf8").trimEnd();
  return { text, message: codecs.Response.json.read(text) };
}

/** The frameworks that say in their parts what the state says as a whole. */
function frameworksFrom(state: Response_GetState): {
  readonly live: AgentFrameworkView[];
  readonly completed: AgentFrameworkView[];
} {
  const { get_frameworks: frameworks, get_executors: executors, get_tasks: tasks } = state;
  const of = (list: readonly Task[] | undefined, executorId: string): Task[] =>
    (list ?? []).filter((task) => (task.executor_id?.value ?? task.task_id?.value) === executorId);
  const infos = (frameworkId: string, completed: boolean): AgentExecutorView[] => {
    const list = (completed ? executors?.completed_executors : executors?.executors) ?? [];
    return list.flatMap(({ executor_info: info }) => {
      if (info?.framework_id?.value !== frameworkId) return [];
      const id = info.executor_id!.value!;
      const view: Partial<AgentExecutorView> = {
        id,
        info,
        tasks: of(tasks?.launched_tasks, id),
        queuedTasks: [],
        terminatedTasks: of(tasks?.terminated_tasks, id),
        completedTasks: of(tasks?.completed_tasks, id),
      };
      return [view as AgentExecutorView];
    });
  };
  const views = (list: { framework_info?: AgentFrameworkView["info"] | undefined }[]): AgentFrameworkView[] =>
    list.map(({ framework_info: info }) => {
      const id = info!.id!.value!;
      return { id, info: info!, executors: infos(id, false), completedExecutors: infos(id, true) };
    });
  return { live: views(frameworks!.frameworks), completed: views(frameworks!.completed_frameworks) };
}

/** The order of executors and tasks is that of a hash table in Mesos. */
function sorted(text: string): unknown {
  const key = (value: unknown): string => JSON.stringify(value);
  return JSON.parse(text, (_, value: unknown) =>
    Array.isArray(value) ? value.toSorted((a, b) => (key(a) < key(b) ? -1 : 1)) : value,
  );
}

describe("agent operator API, reads", () => {
  let bench: EndpointBench;

  beforeEach(async () => {
    bench = await EndpointBench.open();
  });
  afterEach(() => bench.close());

  const json = async (call: object): Promise<unknown> => JSON.parse((await bench.call(call)).body);

  it("tells what the agent is, and while it drains, how", async () => {
    bench.view.info = { id: { value: "S1" }, hostname: "h", port: 5051, resources: [], attributes: [] };
    const agent = async () => JSON.parse((await bench.call({ type: "GET_AGENT" })).body);
    expect(await agent()).to.deep.equal({
      type: "GET_AGENT",
      get_agent: { agent_info: { id: { value: "S1" }, hostname: "h", port: 5051 } },
    });
    bench.view.drainConfig = { mark_gone: true, max_grace_period: { nanoseconds: 5n } };
    bench.view.estimatedDrainStartTime = 7.9;
    const { drain_config, estimated_drain_start_time } = (await agent()).get_agent;
    expect(drain_config).to.deep.equal({ max_grace_period: { nanoseconds: 5 }, mark_gone: true });
    expect(estimated_drain_start_time).to.deep.equal({ nanoseconds: 7_000_000_000 });
  });

  it("answers for the captured agent what a Mesos answered", async () => {
    const state = captured("get-state");
    const { live, completed } = frameworksFrom(state.message.get_state!);
    bench.view.frameworks = () => live;
    bench.view.completedFrameworks = () => completed;
    const answer = (await bench.call({ type: "GET_STATE" })).body;
    expect(sorted(answer)).to.deep.equal(sorted(state.text));
    const whole = JSON.parse(answer).get_state;
    for (const part of ["get_frameworks", "get_executors", "get_tasks"]) {
      const type = part.toUpperCase();
      expect(await json({ type })).to.deep.equal({ type, [part]: whole[part] });
    }
    const agent = captured("get-agent");
    bench.view.info = agent.message.get_agent!.agent_info!;
    expect((await bench.call({ type: "GET_AGENT" })).body).to.equal(agent.text);
    const containers = captured("get-containers");
    bench.containers.all = containers.message.get_containers!.containers.map(
      (container): AgentContainer => ({
        containerId: container.container_id!,
        frameworkId: container.framework_id!.value!,
        executorId: container.executor_id!.value!,
        executorName: container.executor_name!,
        status: container.container_status,
        statistics: container.resource_statistics,
      }),
    );
    expect((await bench.call({ type: "GET_CONTAINERS" })).body).to.equal(containers.text);
  });

  it("tells tasks that wait for their executor, and operations", async () => {
    const queued = { task_id: { value: "t" }, agent_id: { value: "S" }, name: "n", resources: [] };
    const executor = { tasks: [], queuedTasks: [queued], terminatedTasks: [], completedTasks: [] };
    const framework = { id: "F", executors: [executor], completedExecutors: [] };
    bench.view.frameworks = () => [framework as unknown as AgentFrameworkView];
    bench.view.completedFrameworks = () => [];
    const tasks = (await json({ type: "GET_TASKS" })) as { get_tasks: { queued_tasks: unknown[] } };
    expect(tasks.get_tasks.queued_tasks).to.deep.equal([
      {
        name: "n",
        task_id: { value: "t" },
        framework_id: { value: "F" },
        agent_id: { value: "S" },
        state: "TASK_STAGING",
      },
    ]);
    bench.view.operations = () => [];
    expect((await bench.call({ type: "GET_OPERATIONS" })).body).to.equal(
      '{"type":"GET_OPERATIONS","get_operations":{}}',
    );
    bench.view.operations = () => [{ uuid: { value: Buffer.from("abc") }, statuses: [] }];
    expect((await bench.call({ type: "GET_OPERATIONS" })).body).to.contain('"operations":[{"uuid":');
  });

  it("tells the health, the version, the flags and the figures, in both formats", async () => {
    bench.view.flags = new Map([["port", "5051"]]);
    bench.metrics.counter("slave/x").inc(2);
    const answers = {
      GET_HEALTH: { healthy: true },
      GET_FLAGS: { flags: [{ name: "port", value: "5051" }] },
      GET_VERSION: {
        version_info: {
          version: "1.12.0",
          build_date: "2026-11-22 07:34:29 UTC",
          build_time: 1_795_332_869,
          build_user: "",
        },
      },
      GET_METRICS: { metrics: [{ name: "slave/x", value: 2 }] },
      GET_RESOURCE_PROVIDERS: {},
    };
    for (const [type, expected] of Object.entries(answers)) {
      const call = { type, get_metrics: {} };
      const part = type.toLowerCase();
      expect(await json(call), type).to.deep.equal({ type, [part]: expected });
      const binary = codecs.Call.encode(codecs.Call.json.read(JSON.stringify(call)));
      const headers = { "content-type": "application/x-protobuf", accept: "application/x-protobuf" };
      const raw = await bench.raw(binary, headers);
      expect(raw.type).to.equal("application/x-protobuf");
      const text = codecs.Response.json.write(codecs.Response.decode(raw.body));
      expect(JSON.parse(text), type).to.deep.equal({ type, [part]: expected });
    }
    expect(Response_Type.GET_METRICS).to.equal(Call_Type.GET_METRICS);
  });

  it("shows containers within others and of nobody only when asked, and none that has ended", async () => {
    const of = (value: string, more: Partial<AgentContainer> = {}): AgentContainer => ({
      containerId: { value },
      frameworkId: "",
      executorId: "",
      executorName: "",
      status: { network_infos: [] },
      statistics: undefined,
      ...more,
    });
    const within = { value: "child", parent: { value: "root" } };
    bench.containers.all = [
      of("root", { frameworkId: "F", executorId: "E", executorName: "n", status: undefined }),
      of("", { containerId: within, frameworkId: "F", executorId: "E" }),
      of("", { containerId: { value: "over", parent: { value: "root" } }, status: undefined }),
      of("alone"),
    ];
    const call = { type: "GET_CONTAINERS", get_containers: { show_nested: true, show_standalone: true } };
    expect(await json(call)).to.deep.equal({
      type: "GET_CONTAINERS",
      get_containers: {
        containers: [
          {
            framework_id: { value: "F" },
            executor_id: { value: "E" },
            executor_name: "n",
            container_id: { value: "root" },
          },
          { container_id: within, container_status: {} },
          { container_id: { value: "alone" }, container_status: {} },
        ],
      },
    });
    await bench.call({ type: "GET_CONTAINERS", get_containers: { show_nested: true } });
    await bench.call({ type: "GET_CONTAINERS" });
    expect(bench.containers.calls).to.deep.equal([
      'list {"nested":true,"standalone":true}',
      'list {"nested":true,"standalone":false}',
      'list {"nested":false,"standalone":false}',
    ]);
  });

  it("lists and reads files", async () => {
    bench.files.set("/log", "hello");
    expect(await json({ type: "LIST_FILES", list_files: { path: "/log" } })).to.deep.equal({
      type: "LIST_FILES",
      list_files: { file_infos: [{ path: "/log", size: 5, mode: 33188, uid: "root" }] },
    });
    const read = (part: object) => json({ type: "READ_FILE", read_file: { path: "/log", ...part } });
    const answer = (text: string) => ({
      type: "READ_FILE",
      read_file: { size: 5, data: Buffer.from(text).toString("base64") },
    });
    expect(await read({ offset: 1, length: 2 })).to.deep.equal(answer("el"));
    expect(await read({ offset: 3 })).to.deep.equal(answer("lo"));
    const missing = { type: "READ_FILE", read_file: { path: "/none", offset: 0 } };
    expect(await bench.call(missing)).to.include({ status: 404, body: "" });
  });

  it("raises the level of the log for as long as it is asked to", async () => {
    const level = async () =>
      ((await json({ type: "GET_LOGGING_LEVEL" })) as { get_logging_level: { level: number } })
        .get_logging_level.level;
    const set_logging_level = { level: 3, duration: { nanoseconds: 2_000_000_000 } };
    expect(await bench.call({ type: "SET_LOGGING_LEVEL", set_logging_level })).to.include({
      status: 200,
      body: "",
    });
    await bench.clock.advance(1_999);
    expect(await level()).to.equal(3);
    await bench.clock.advance(1);
    expect(await level()).to.equal(0);
  });

  it("prunes images, but those that are excluded", async () => {
    const prune_images = { excluded_images: [{ type: "DOCKER", docker: { name: "alpine" } }] };
    expect((await bench.call({ type: "PRUNE_IMAGES", prune_images })).status).to.equal(200);
    expect((await bench.call({ type: "PRUNE_IMAGES" })).status).to.equal(200);
    expect(bench.containers.calls).to.deep.equal(["prune alpine", "prune"]);
  });

  it("answers about resource providers as an agent without any", async () => {
    const type = "org.apache.mesos.rp.local.storage";
    const plugin = { type: "x.y", name: "p", containers: [{ services: ["NODE_SERVICE"] }] };
    const sent = async (call: string, part: object) => {
      const { status, body } = await bench.call({ type: call, [call.toLowerCase()]: part });
      return `${status} ${body}`;
    };
    const add = (info: object) => sent("ADD_RESOURCE_PROVIDER_CONFIG", { info });
    const lacking = "500 Missing required flag --resource_provider_config_dir";
    const wrong = (named: string) =>
      `400 Failed to validate resource provider config with type '${named}' and name 'p': `;
    expect(await add({ type, name: "p", storage: { plugin } })).to.equal(lacking);
    expect(await sent("REMOVE_RESOURCE_PROVIDER_CONFIG", { type, name: "p" })).to.equal(lacking);
    expect(await add({ type: "x", name: "p" })).to.equal(
      `${wrong("x")}Unknown local resource provider type 'x'`,
    );
    const update = { info: { type, name: "p" } };
    expect(await sent("UPDATE_RESOURCE_PROVIDER_CONFIG", update)).to.equal(
      `${wrong(type)}'ResourceProviderInfo.storage' must be set`,
    );
    expect(await add({ id: { value: "i" }, type, name: "p" })).to.equal(
      "400 Failed to validate agent::Call: Expecting 'add_resource_provider_config.info.id' to be unset",
    );
    const gone = () => sent("MARK_RESOURCE_PROVIDER_GONE", { resource_provider_id: { value: "r" } });
    bench.view.registered = false;
    expect(await gone()).to.equal(
      "500 Could not mark resource provider 'r' as gone: Agent has not registered yet",
    );
    bench.view.registered = true;
    expect(await gone()).to.equal("200 ");
  });

  it("answers nothing while the agent recovers, and knows every call but one", async () => {
    bench.ready = false;
    expect(await bench.call({ type: "GET_HEALTH" })).to.include({
      status: 503,
      body: "Agent has not finished recovery",
    });
    bench.ready = true;
    expect(await bench.call({ type: "UNKNOWN" })).to.include({ status: 501 });
  });
});
