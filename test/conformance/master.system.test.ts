import { expect } from "chai";
import { addMasterRoutes } from "../../plugins/master-endpoints/routes.js";
import type { MasterView } from "../../sdk/contracts/master-view.js";
import type { Leadership } from "../../sdk/contracts/scheduler-service.js";
import { SystemClock } from "../../sdk/contracts/system-clock.js";
import { buildInfo } from "../../sdk/v0-json/index.js";
import { type Rig, startServer } from "../plugins/http-server/support.js";
import { viewOf } from "./captured-master.js";
import type { Json } from "./captured-state.js";
import { fixture, hold, holdServed } from "./conformance.js";

const json = (name: string): Json => JSON.parse(fixture("master", name).body);

function viewWith(leadership?: Leadership): MasterView {
  return viewOf({ state: json("state"), roles: json("roles") }, leadership);
}

const start = (view: MasterView): Promise<Rig> =>
  startServer((server) => addMasterRoutes(server, view, { build: buildInfo(), clock: new SystemClock() }));

describe("the master's endpoints against captured answers", () => {
  let rig: Rig;

  before(async () => {
    rig = await start(viewWith());
  });

  after(() => rig.server.stop());

  const endpoints = [
    "state",
    "state-summary",
    "slaves",
    "frameworks",
    "tasks",
    "roles",
    "flags",
    "version",
    "health",
  ];
  for (const name of endpoints) {
    it(`GET /${name}`, () => hold(rig.base, { daemon: "master", path: `/${name}`, fixture: name }));
    it(`GET /master/${name} is the same`, async () => {
      const short = await (await fetch(`${rig.base}/${name}`)).text();
      expect(await (await fetch(`${rig.base}/master/${name}`)).text()).to.equal(short);
    });
  }

  it("GET /redirect", () => hold(rig.base, { daemon: "master", path: "/redirect", fixture: "redirect" }));

  it("GET /redirect/anything is not found, lest a redirection leads on for ever", async () => {
    expect((await fetch(`${rig.base}/redirect/state`, { redirect: "manual" })).status).to.equal(404);
  });

  it("GET /state.json has the leader as an object, and all else of /state", async () => {
    const old = (await holdServed(rig.base, {
      daemon: "master",
      path: "/state.json",
      fixture: "state.json",
    })) as Json;
    const state = (await (await fetch(`${rig.base}/state`)).json()) as Json;
    const { id, hostname, port, pid } = state.leader_info as Json;
    expect(old.leader).to.deep.equal({ id, hostname, port, pid });
    expect(state.leader).to.equal(pid);
    expect({ ...old, leader: pid }).to.deep.equal(state);
  });

  for (const name of ["tasks", "roles"]) {
    it(`GET /${name}.json is /${name}`, async () => {
      const path = `/${name}.json`;
      const old = await holdServed(rig.base, { daemon: "master", path, fixture: `${name}.json` });
      expect(old).to.deep.equal(await (await fetch(`${rig.base}/${name}`)).json());
    });
  }

  for (const name of ["slaves", "frameworks", "state-summary"]) {
    it(`GET /${name}.json is /${name}`, async () => {
      const old = await (await fetch(`${rig.base}/master/${name}.json`)).text();
      expect(old).to.equal(await (await fetch(`${rig.base}/${name}`)).text());
    });
  }

  it("wraps answers for ?jsonp=", async () => {
    const response = await fetch(`${rig.base}/version?jsonp=cb`);
    expect(response.headers.get("content-type")).to.equal("text/javascript");
    expect(await response.text()).to.match(/^cb\(\{.*\}\)$/);
  });

  it("answers HEAD like GET, without the body", async () => {
    const response = await fetch(`${rig.base}/state`, { method: "HEAD" });
    expect(response.status).to.equal(200);
    expect(response.headers.get("content-type")).to.equal("application/json");
    expect(await response.text()).to.equal("");
  });

  it("selects by framework_id, slave_id and task_id", async () => {
    const get = async (path: string): Promise<Json> => (await (await fetch(rig.base + path)).json()) as Json;
    expect(await get("/frameworks?framework_id=none")).to.deep.equal({
      frameworks: [],
      completed_frameworks: [],
      unregistered_frameworks: [],
    });
    expect(await get("/slaves?slave_id=none")).to.deep.equal({ slaves: [], recovered_slaves: [] });
    const [agent] = (await get("/slaves")).slaves as Json[];
    expect((await get(`/slaves?slave_id=${agent!.id}`)).slaves).to.deep.equal([agent]);
    const [completed] = (await get("/frameworks")).completed_frameworks as Json[];
    const one = await get(`/frameworks?framework_id=${completed!.id}`);
    expect(one.completed_frameworks).to.deep.equal([completed]);
    expect(one.frameworks).to.deep.equal([]);
    const tasks = (await get("/tasks?task_id=health-1")).tasks as Json[];
    expect(tasks.map(({ id }) => id)).to.deep.equal(["health-1"]);
  });
});

describe("a master that does not lead", () => {
  async function answer(leadership: Leadership, path: string) {
    const rig = await start(viewWith(leadership));
    try {
      const response = await fetch(rig.base + path, { redirect: "manual" });
      return {
        status: response.status,
        location: response.headers.get("location"),
        text: await response.text(),
      };
    } finally {
      await rig.server.stop();
    }
  }

  const leader = {
    id: "x",
    hostname: "leader.example",
    port: 5050,
    pid: "master@10.0.0.1:5050",
    capabilities: [],
  };

  it("sends clients to the leader, with path and query", async () => {
    const { status, location, text } = await answer({ role: "standby", leader }, "/tasks?limit=3");
    expect([status, location, text]).to.deep.equal([307, "//leader.example:5050/master/tasks?limit=3", ""]);
  });

  it("answers 503 where no leader is known", async () => {
    const { status, text } = await answer({ role: "standby", leader: undefined }, "/state");
    expect([status, text]).to.deep.equal([503, "No leader elected"]);
    expect((await answer({ role: "standby", leader: undefined }, "/redirect")).status).to.equal(503);
  });

  it("answers about itself all the same", async () => {
    for (const path of ["/flags", "/version", "/health"]) {
      expect((await answer({ role: "standby", leader: undefined }, path)).status).to.equal(200);
    }
  });
});
