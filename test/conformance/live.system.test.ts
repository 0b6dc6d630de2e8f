import { expect } from "chai";
import { answerOf, type CapturedAnswer, captured } from "../plugins/http-server/captures.js";
import { type Daemon, hold, type Live } from "./conformance.js";
import { type LiveCluster, startLiveCluster } from "./live-cluster.js";

/** Captured path of a daemon, and the fixture that holds the answer. */
const ENDPOINTS: readonly (readonly [Daemon, string, string])[] = [
  ...["state", "state-summary", "slaves", "frameworks", "tasks", "roles", "flags", "version", "health"].map(
    (name) => ["master", `/${name}`, name] as const,
  ),
  ...["state", "containers", "flags", "version", "health"].map(
    (name) => ["agent", `/${name}`, name] as const,
  ),
  ["agent", "/monitor/statistics", "monitor-statistics"],
];
const MEASURED: readonly (readonly [string, string])[] = [
  ["/metrics/snapshot", "metrics-snapshot"],
  ["/system/stats.json", "system-stats"],
];

const SUBSCRIBE = (framework: object): string =>
  JSON.stringify({
    type: "SUBSCRIBE",
    subscribe: { framework_info: { user: "u", name: "n", ...framework } },
  });
const MULTI_ROLE = [{ type: "MULTI_ROLE" }];

/** Wrong requests to the master's scheduler API, by the name of the captured answer. */
const REFUSED: readonly (readonly [string, RequestInit])[] = [
  ["sched_badct", { body: "{}", headers: { "content-type": "text/plain" } }],
  ["sched_badjson", { body: "x" }],
  ["sched_get", { method: "GET" }],
  ["sched_missingfid", { body: '{"type":"REVIVE"}' }],
  [
    "sched_nostream",
    {
      body: JSON.stringify({
        type: "ACKNOWLEDGE",
        framework_id: { value: "f" },
        acknowledge: { agent_id: { value: "a" }, task_id: { value: "t" }, uuid: "AAAA" },
      }),
    },
  ],
  ["sched_notsub", { body: '{"type":"REVIVE","framework_id":{"value":"nobody"}}' }],
  ["sched_sub_nouser", { body: '{"type":"SUBSCRIBE","subscribe":{"framework_info":{"name":"n"}}}' }],
  ["sched_sub_withstream", { body: SUBSCRIBE({}), headers: { "mesos-stream-id": "x" } }],
  ["sched_sub_badrole", { body: SUBSCRIBE({ roles: ["/a"], capabilities: MULTI_ROLE }) }],
  ["sched_sub_v0role_multirole", { body: SUBSCRIBE({ role: "a", capabilities: MULTI_ROLE }) }],
];

describe("a real master and agent against captured answers", function () {
  this.timeout(60_000);
  let cluster: LiveCluster;
  const base = (daemon: Daemon) => `http://127.0.0.1:${cluster[daemon].port}`;
  const live = (): Live => ({ ports: { master: cluster.master.port, agent: cluster.agent.port } });

  before(async () => {
    cluster = await startLiveCluster();
  });
  after(() => cluster.stop());

  for (const [daemon, path, fixture] of ENDPOINTS) {
    it(`GET ${path} of the ${daemon}`, () => hold(base(daemon), { daemon, path, fixture, live: live() }));

    it(`GET ${path} of the ${daemon} is the same under its own name`, async () => {
      const prefix = daemon === "master" ? "/master" : "/slave(1)";
      const fields = async (url: string) => {
        const { status, headers, body } = await answerOf(await fetch(url));
        const { "content-length": _length, ...rest } = headers;
        return { status, headers: rest, fields: body.match(/"\w+":/g) };
      };
      expect(await fields(`${base(daemon)}${prefix}${path}`)).to.deep.equal(
        await fields(base(daemon) + path),
      );
    });
  }

  for (const daemon of ["master", "agent"] as const) {
    for (const [path, fixture] of MEASURED) {
      it(`GET ${path} of the ${daemon}`, () =>
        hold(base(daemon), { daemon, path, fixture, live: { ...live(), measured: true } }));
    }
  }

  for (const [name, { headers, ...request }] of REFUSED) {
    it(`${name} of the scheduler API`, async () => {
      const response = await fetch(`${base("master")}/api/v1/scheduler`, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json", ...headers },
        ...request,
      });
      expect(likenessOf(await answerOf(response))).to.deep.equal(
        likenessOf(captured(`plugins/scheduler-http/fixtures/${name}.txt`)),
      );
    });
  }

  for (const daemon of ["master", "agent"] as const) {
    it(`a path that the ${daemon} does not have`, async () => {
      const answer = await answerOf(await fetch(`${base(daemon)}/nothing/here`));
      expect(likenessOf(answer)).to.deep.equal(likenessOf(captured("conformance/fixtures/notfound.http")));
    });
  }

  it("an executor that nobody knows", async () => {
    const response = await fetch(`${base("agent")}/slave(1)/api/v1/executor`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"type":"SUBSCRIBE","subscribe":{}}',
    });
    expect(likenessOf(await answerOf(response))).to.deep.equal(
      likenessOf(captured("plugins/executor-http/fixtures/agent_exec_nosub.txt")),
    );
  });

  it("a framework that nobody knows", async () => {
    const answer = await answerOf(await fetch(`${base("master")}/frameworks?framework_id=nobody`));
    expect(likenessOf(answer)).to.deep.equal(likenessOf(captured("conformance/fixtures/frameworks-id.http")));
  });

  it("GET /redirect", async () => {
    const { status, headers, body } = await answerOf(
      await fetch(`${base("master")}/redirect`, { redirect: "manual" }),
    );
    expect([status, headers.location, body]).to.deep.equal([307, `//127.0.0.1:${cluster.master.port}`, ""]);
  });
});

/** An answer with the headers that say what it means; a stream's id differs each time, and its body may come in parts. */
function likenessOf({ status, headers, body }: CapturedAnswer) {
  const { "content-length": _length, connection: _connection, ...rest } = headers;
  const meaning = Object.fromEntries(
    Object.entries(rest).map(([name, value]) => [name, name === "mesos-stream-id" ? "" : value]),
  );
  return { status, headers: meaning, body };
}
