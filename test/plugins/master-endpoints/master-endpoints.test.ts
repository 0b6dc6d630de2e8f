import { expect } from "chai";
import { agentFieldsJson, fullAgentJson } from "../../../plugins/master-endpoints/agent-json.js";
import { frameworkJson } from "../../../plugins/master-endpoints/framework-json.js";
import { rolesJson } from "../../../plugins/master-endpoints/roles-json.js";
import { stateJson } from "../../../plugins/master-endpoints/state-json.js";
import { stateSummaryJson } from "../../../plugins/master-endpoints/summary-json.js";
import { tasksJson } from "../../../plugins/master-endpoints/tasks-json.js";
import { FrameworkInfo_Capability_Type, Offer, TaskState } from "../../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../../sdk/resources/index.js";
import { agentRecord, frameworkRecord, masterView, resources, task } from "./records.js";

const read = (json: string) => JSON.parse(json);
const agentOf = (agent: Parameters<typeof agentFieldsJson>[0]) => read(`{${agentFieldsJson(agent)}}`);

describe("the text of an agent", () => {
  it("is made once, and anew for every fact that changes", () => {
    const agent = agentRecord("a");
    const first = agentFieldsJson(agent);
    expect(agentFieldsJson(agent)).to.equal(first);

    agent.used = resources("cpus:1").allocate("dev");
    expect(agentOf(agent).used_resources.cpus).to.equal(1);
    agent.offered = resources("mem:10").allocate("dev");
    expect(agentOf(agent).offered_resources.mem).to.equal(10);
    agent.active = false;
    expect(agentOf(agent).active).to.equal(false);
    agent.deactivated = true;
    expect(agentOf(agent).deactivated).to.equal(true);
    agent.drainInfo = { state: 1, config: { mark_gone: true } };
    agent.estimatedDrainStartTime = 9;
    expect(agentOf(agent).drain_info).to.deep.equal({ state: "DRAINING", config: { mark_gone: true } });
    expect(agentOf(agent).estimated_drain_start_time_seconds).to.equal(9);
    agent.drainInfo = undefined;
    expect(agentOf(agent)).not.to.have.any.keys("drain_info", "estimated_drain_start_time_seconds");
    agent.total = resources("cpus:8");
    expect(agentOf(agent).resources.cpus).to.equal(8);
    agent.reregisteredTime = 7;
    expect(agentOf(agent).reregistered_time).to.equal(7);
    agent.pid = "slave(1)@10.0.0.2:5051";
    expect(agentOf(agent).pid).to.equal("slave(1)@10.0.0.2:5051");
    agent.version = "1.13.0";
    expect(agentOf(agent).version).to.equal("1.13.0");
    agent.info = { ...agent.info, hostname: "other" };
    expect(agentOf(agent).hostname).to.equal("other");
    agent.capabilities = [{ type: 1 }];
    expect(agentOf(agent).capabilities).to.deep.equal(["MULTI_ROLE"]);
  });

  it("shows reservations by role, flat and in full", () => {
    const agent = agentRecord("a", "cpus(prod):1;cpus:2;ports:[1-2]");
    const full = read(fullAgentJson(agent));
    expect(full.reserved_resources).to.deep.equal({ prod: { disk: 0, mem: 0, gpus: 0, cpus: 1 } });
    expect(full.unreserved_resources).to.deep.equal({ disk: 0, mem: 0, gpus: 0, cpus: 2, ports: "[1-2]" });
    expect(Object.keys(full.reserved_resources_full)).to.deep.equal(["prod"]);
    expect(full.unreserved_resources_full.map(({ name }: { name: string }) => name)).to.deep.equal([
      "cpus",
      "ports",
    ]);
  });
});

describe("the text of a framework", () => {
  it("has a role or roles, by capability, and a pid only where there is one", () => {
    const framework = frameworkRecord("f");
    const single = read(frameworkJson(framework));
    expect(single).to.include({ role: "*" }).and.not.to.have.any.keys("roles", "pid", "principal", "labels");
    const multi = read(
      frameworkJson({
        ...framework,
        pid: "scheduler@1.2.3.4:5",
        info: {
          ...framework.info,
          roles: ["a", "b"],
          capabilities: [{ type: FrameworkInfo_Capability_Type.MULTI_ROLE }],
        },
      }),
    );
    expect(multi)
      .to.deep.include({ roles: ["a", "b"], pid: "scheduler@1.2.3.4:5" })
      .and.not.to.have.key("role");
  });

  it("shows offers, and constraints as they were given", () => {
    const offer = Offer.fromPartial({
      id: { value: "o" },
      framework_id: { value: "f" },
      agent_id: { value: "a" },
      allocation_info: { role: "dev" },
      resources: resources("cpus:1").allocate("dev").toMessages(),
    });
    const framework = read(frameworkJson({ ...frameworkRecord("f"), offers: [offer] }));
    expect(framework.offers).to.deep.equal([
      {
        id: "o",
        framework_id: "f",
        allocation_info: { role: "dev" },
        slave_id: "a",
        resources: { disk: 0, mem: 0, gpus: 0, cpus: 1 },
      },
    ]);
    expect(framework.offer_constraints).to.deep.equal({});
  });
});

describe("/state", () => {
  const build = { version: "1.12.0", buildTime: 0 };

  it("leaves out what is not known", () => {
    const view = masterView({ leadership: () => ({ role: "leading", leader: undefined }) });
    const state = read(stateJson(view, build, "text"));
    expect(state).not.to.have.any.keys(
      "leader",
      "leader_info",
      "elected_time",
      "cluster",
      "domain",
      "log_dir",
    );
    expect(state.build_date).to.equal("1970-01-01 00:00:00 UTC");
  });

  it("counts active and other agents, and shows cluster and log directory", () => {
    const agents = [agentRecord("a"), agentRecord("b"), { ...agentRecord("c"), active: false }];
    const view = masterView({
      agents: () => agents,
      unreachableAgents: () => 5,
      cluster: "test",
      flags: new Map([["log_dir", "/var/log"]]),
    });
    expect(read(stateJson(view, build, "text"))).to.include({
      activated_slaves: 2,
      deactivated_slaves: 1,
      unreachable_slaves: 5,
      cluster: "test",
      log_dir: "/var/log",
    });
  });
});

describe("/state-summary", () => {
  it("counts tasks by state, of agents and of frameworks, past and unreachable ones included", () => {
    const one = frameworkRecord("f1", {
      tasks: [task("t1", "a", { state: TaskState.TASK_RUNNING }), task("t2", "b")],
      completed: [task("t3", "a", { state: TaskState.TASK_FINISHED })],
    });
    const two = frameworkRecord("f2", {
      tasks: [task("t4", "a", { state: TaskState.TASK_RUNNING })],
      unreachable: [task("t5", "gone", { state: TaskState.TASK_UNREACHABLE })],
    });
    const view = masterView({
      agents: () => [agentRecord("a"), agentRecord("b"), agentRecord("c")],
      frameworks: () => [one, two],
    });
    const { slaves, frameworks } = read(stateSummaryJson(view));
    const [a, b, c] = slaves;
    expect(a).to.deep.include({ TASK_RUNNING: 2, TASK_FINISHED: 1, framework_ids: ["f1", "f2"] });
    expect(b).to.deep.include({ TASK_STAGING: 1, TASK_RUNNING: 0, framework_ids: ["f1"] });
    expect(c).to.deep.include({ TASK_RUNNING: 0, framework_ids: [] });
    const [f1, f2] = frameworks;
    expect(f1).to.deep.include({ TASK_RUNNING: 1, TASK_FINISHED: 1, slave_ids: ["a", "b"] });
    expect(f2).to.deep.include({ TASK_RUNNING: 1, TASK_UNREACHABLE: 1, slave_ids: ["a", "gone"] });
  });
});

describe("/tasks", () => {
  const tasks = [3, 1, 4, undefined, 5].map((first, index) =>
    task(`t${first ?? "none"}`, `a${index}`, first === undefined ? {} : { first }),
  );
  const view = masterView({
    frameworks: () => [frameworkRecord("f1", { tasks: tasks.slice(0, 3), unreachable: tasks.slice(3, 4) })],
    completedFrameworks: () => [frameworkRecord("f2", { completed: tasks.slice(4) })],
  });
  const ids = (query: string): string[] =>
    read(tasksJson(view, new URLSearchParams(query))).tasks.map(({ id }: { id: string }) => id);

  const cases: [query: string, ids: string[]][] = [
    ["", ["tnone", "t5", "t4", "t3", "t1"]],
    ["order=asc", ["tnone", "t1", "t3", "t4", "t5"]],
    ["order=des&limit=2", ["tnone", "t5"]],
    ["order=asc&offset=1&limit=2", ["t1", "t3"]],
    ["limit=-1&offset=4", ["t1"]],
    ["limit=0", []],
    ["offset=-1", []],
    ["offset=99", []],
    ["limit=many&offset=1x", ["tnone", "t5", "t4", "t3", "t1"]],
    ["framework_id=f2", ["t5"]],
    ["framework_id=f1&task_id=t4", ["t4"]],
    ["task_id=other", []],
  ];
  for (const [query, expected] of cases) {
    it(`?${query} lists ${expected.join() || "nothing"}`, () => expect(ids(query)).to.deep.equal(expected));
  }

  it("lists a hundred unless asked for more", () => {
    const many = Array.from({ length: 150 }, (_, i) => task(`t${i}`, "a", { first: i }));
    const full = masterView({ frameworks: () => [frameworkRecord("f", { tasks: many })] });
    const count = (query: string) => read(tasksJson(full, new URLSearchParams(query))).tasks.length;
    expect([count(""), count("limit=120"), count("limit=-1")]).to.deep.equal([100, 120, 150]);
  });
});

describe("/roles", () => {
  it("sums every figure over the roles below, and counts idle reservations as consumed", () => {
    const used = resources("cpus(prod/web):1;ports:[1-3]").allocate("prod/web");
    const agent = { ...agentRecord("a", "cpus(prod/web):3;mem(prod):5;cpus:9"), used };
    const role = (name: string, more: Partial<ReturnType<typeof roleRecord>> = {}) => ({
      ...roleRecord(name),
      ...more,
    });
    const view = masterView({
      agents: () => [agent],
      roles: () => [
        role("prod", { reserved: agent.total.reserved("prod"), weight: 2 }),
        role("prod/web", {
          allocated: used,
          offered: resources("mem:7").allocate("prod/web"),
          reserved: agent.total.reserved("prod/web"),
          frameworks: ["f"],
        }),
        role("product"),
      ],
    });
    const [prod, web, product] = read(rolesJson(view)).roles;
    expect(prod).to.deep.equal({
      name: "prod",
      weight: 2,
      quota: { role: "prod", guarantee: {}, limit: {}, consumed: { cpus: 3, mem: 5, ports: 3 } },
      resources: { cpus: 1, mem: 7, ports: 3 },
      allocated: { cpus: 1, ports: 3 },
      offered: { mem: 7 },
      reserved: { cpus: 3, mem: 5 },
      frameworks: [],
    });
    expect(web.quota.consumed).to.deep.equal({ cpus: 3, ports: 3 });
    expect(web.frameworks).to.deep.equal(["f"]);
    expect(product.reserved).to.deep.equal({});
  });
});

function roleRecord(name: string) {
  const none = Resources.empty;
  return { name, weight: 1, allocated: none, offered: none, reserved: none, frameworks: [] as string[] };
}
