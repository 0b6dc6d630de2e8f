import { expect } from "chai";
import { addAgentRoutes } from "../../plugins/agent-endpoints/routes.js";
import { buildInfo } from "../../sdk/v0-json/index.js";
import { type Rig, startServer } from "../plugins/http-server/support.js";
import { viewOf } from "./captured-agent.js";
import type { Json } from "./captured-state.js";
import { fixture, hold, holdServed } from "./conformance.js";

describe("the agent's endpoints against captured answers", () => {
  let rig: Rig;
  let ready = true;

  before(async () => {
    const state: Json = JSON.parse(fixture("agent", "state").body);
    const containers: Json[] = JSON.parse(fixture("agent", "containers").body);
    // The captures are some tenths of a second apart: the same containers, measured at two times.
    const measured: Json[] = JSON.parse(fixture("agent", "monitor-statistics").body);
    const view = viewOf({ state, containers });
    const then = viewOf({
      state,
      containers: measured.map((entry, index) => ({ ...containers[index], ...entry })),
    });
    let asked = "";
    rig = await startServer(
      (server) => {
        server.intercept({
          matches: (request) => {
            asked = request.target;
            return false;
          },
          handle: () => {},
        });
        addAgentRoutes({
          http: server,
          view: { ...view, usage: () => (asked.includes("monitor") ? then : view).usage() },
          containerizers: [],
          build: buildInfo(),
          ready: () => ready,
        });
      },
      { processId: "slave(1)" },
    );
  });

  after(() => rig.server.stop());

  for (const name of ["state", "containers", "flags", "version", "health"]) {
    it(`GET /${name}`, () => hold(rig.base, { daemon: "agent", path: `/${name}`, fixture: name }));
  }

  it("GET /monitor/statistics", () =>
    hold(rig.base, { daemon: "agent", path: "/monitor/statistics", fixture: "monitor-statistics" }));

  it("GET /slave(1)/monitor/statistics has each figure twice: in statistics, and beside it", async () => {
    const entries = (await (await fetch(`${rig.base}/slave(1)/monitor/statistics`)).json()) as Json[];
    expect(entries).to.have.length(3);
    for (const entry of entries) {
      expect(entry).to.deep.include(entry.statistics as Json);
      expect(entry).to.include.keys("cpus_user_time_secs", "mem_rss_bytes");
    }
  });

  it("GET /state.json has the resources as a flat object", async () => {
    const old = (await holdServed(rig.base, {
      daemon: "agent",
      path: "/state.json",
      fixture: "state.json",
    })) as Json;
    expect(old.resources).to.deep.equal({
      disk: 252899,
      mem: 23081,
      gpus: 0,
      cpus: 2,
      ports: "[31000-32000]",
    });
  });

  it("GET /monitor/statistics.json is /monitor/statistics", async () => {
    const old = await holdServed(rig.base, {
      daemon: "agent",
      path: "/monitor/statistics.json",
      fixture: "monitor-statistics.json",
    });
    expect(old).to.deep.equal(await (await fetch(`${rig.base}/monitor/statistics`)).json());
  });

  it("selects containers by container_id, framework_id, or framework_id and executor_id, and refuses other mixes", async () => {
    const get = (query: string) => fetch(`${rig.base}/containers?${query}`);
    const ids = async (query: string) =>
      ((await (await get(query)).json()) as Json[]).map(({ executor_id: id }) => id);
    const framework = "framework_id=17285b4a-c5a1-47c8-ae0e-e54e3265a6e7-0000";
    expect(await ids(framework)).to.have.length(3);
    expect(await ids(`${framework}&executor_id=run-1`)).to.deep.equal(["run-1"]);
    expect(await ids("container_id=114841fb-398d-4bab-97bf-84cadeb7620d")).to.deep.equal(["run-1"]);
    expect(await ids("framework_id=other")).to.deep.equal([]);
    for (const query of ["executor_id=run-1", `container_id=x&${framework}`]) {
      expect((await get(query)).status).to.equal(400);
    }
  });

  it("answers 503 while it recovers, except about itself", async () => {
    ready = false;
    try {
      const response = await fetch(`${rig.base}/state`);
      expect([response.status, await response.text()]).to.deep.equal([
        503,
        "Agent has not finished recovery",
      ]);
      expect((await fetch(`${rig.base}/health`)).status).to.equal(200);
    } finally {
      ready = true;
    }
  });
});
