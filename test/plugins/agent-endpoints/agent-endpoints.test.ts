import { expect } from "chai";
import { noteStatus } from "../../../core/agent/tasks/task.js";
import { frameworkJson } from "../../../plugins/agent-endpoints/framework-json.js";
import { containersJson, statisticsJson } from "../../../plugins/agent-endpoints/usage-json.js";
import {
  ExecutorInfo,
  FrameworkInfo,
  ResourceStatistics,
  Task,
  TaskInfo,
  TaskState,
  TaskStatus,
} from "../../../proto/gen/mesos/v1/mesos.js";
import type { AgentExecutorView } from "../../../sdk/contracts/agent-view.js";
import { parseResources, Resources } from "../../../sdk/resources/index.js";

const usage = {
  frameworkId: "f",
  executorId: "e",
  executorName: "",
  source: "",
  containerId: { value: "c" },
  status: undefined,
  statistics: undefined,
};

const executor: AgentExecutorView = {
  id: "e",
  name: "",
  source: "",
  containerId: { value: "c" },
  directory: "/d",
  info: ExecutorInfo.fromPartial({ type: 2 }),
  generated: false,
  resources: Resources.empty,
  role: "",
  tasks: [],
  queuedTasks: [],
  terminatedTasks: [],
  completedTasks: [],
};

function shown(changes: Partial<AgentExecutorView>) {
  const framework = {
    id: "f",
    info: FrameworkInfo.fromPartial({ name: "n" }),
    executors: [{ ...executor, ...changes }],
    completedExecutors: [],
  };
  return JSON.parse(frameworkJson(framework)).executors[0];
}

describe("containers of the agent", () => {
  it("that cannot be measured are in /containers, and not in /monitor/statistics", () => {
    expect(JSON.parse(containersJson([usage]))).to.deep.equal([
      { container_id: "c", executor_id: "e", executor_name: "", framework_id: "f", source: "" },
    ]);
    expect(statisticsJson([usage])).to.equal("[]");
  });

  it("have their statistics sorted by name, integers and doubles told apart", () => {
    const statistics = ResourceStatistics.fromPartial({
      timestamp: 5,
      mem_rss_bytes: 7,
      cpus_limit: 1,
      processes: 2,
    });
    expect(statisticsJson([{ ...usage, statistics }])).to.equal(
      '[{"executor_id":"e","executor_name":"","framework_id":"f","source":"",' +
        '"statistics":{"cpus_limit":1.0,"mem_rss_bytes":7,"processes":2,"timestamp":5.0},' +
        '"cpus_limit":1.0,"mem_rss_bytes":7,"processes":2,"timestamp":5.0}]',
    );
  });
});

describe("executors of the agent", () => {
  it("have a type and a role only where there is one to show", () => {
    expect(shown({})).to.include({ type: "CUSTOM" }).and.not.to.have.key("role");
    expect(shown({ generated: true, role: "dev" }))
      .to.include({ role: "dev" })
      .and.not.to.have.key("type");
  });

  it("show tasks whose end is not acknowledged among the completed ones", () => {
    const task = (id: string) => Task.fromPartial({ task_id: { value: id }, state: TaskState.TASK_FINISHED });
    const { tasks, completed_tasks: completed } = shown({
      completedTasks: [task("a")],
      terminatedTasks: [task("b")],
    });
    expect([tasks, (completed as { id: string }[]).map(({ id }) => id)]).to.deep.equal([[], ["a", "b"]]);
  });

  it("show each time how their tasks fare now", () => {
    const task = Task.fromPartial({ task_id: { value: "t" }, state: TaskState.TASK_STAGING });
    expect(shown({ tasks: [task] }).tasks[0]).to.include({ state: "TASK_STAGING" });
    noteStatus(task, TaskStatus.fromPartial({ state: TaskState.TASK_RUNNING, healthy: true }));
    const [{ state, statuses }] = shown({ tasks: [task] }).tasks;
    expect(state).to.equal("TASK_RUNNING");
    expect(statuses).to.deep.equal([{ state: "TASK_RUNNING", timestamp: 0, healthy: true }]);
  });

  it("show tasks that wait for them", () => {
    const parsed = parseResources("cpus:1");
    const queued = {
      ...TaskInfo.fromPartial({
        name: "n",
        task_id: { value: "t" },
        agent_id: { value: "a" },
        command: { value: "true", shell: true },
      }),
      resources: parsed.ok ? parsed.value.allocate("dev").toMessages() : [],
    };
    expect(shown({ queuedTasks: [queued] }).queued_tasks).to.deep.equal([
      {
        id: "t",
        name: "n",
        slave_id: "a",
        resources: { disk: 0, mem: 0, gpus: 0, cpus: 1 },
        role: "dev",
        command: { shell: true, value: "true", argv: [], uris: [] },
      },
    ]);
  });
});
