import { expect } from "chai";
import { addRegistryRoutes } from "../../../plugins/master-endpoints/registry-routes.js";
import { Registry as RegistryState } from "../../../proto/gen/mesos/internal/registry.js";
import type { HttpReply, HttpRequest, HttpRoute, HttpServer } from "../../../sdk/contracts/http-server.js";
import type { MasterView } from "../../../sdk/contracts/master-view.js";
import type { Registry } from "../../../sdk/contracts/registry.js";
import type { Leadership } from "../../../sdk/contracts/scheduler-service.js";

const STATE = RegistryState.fromPartial({
  slaves: { slaves: [{ info: { id: { value: "a" }, hostname: "h" } }] },
});
const LEADER = { id: "m", hostname: "leader.example", port: 5050, capabilities: [] };

async function ask(leadership: Leadership, peek: Registry["peek"]) {
  const routes: HttpRoute[] = [];
  const http = { route: (route: HttpRoute) => routes.push(route) } as unknown as HttpServer;
  const view = { leadership: () => leadership } as unknown as MasterView;
  addRegistryRoutes(http, { view, registry: { peek } as Registry });
  let answer: { status: number; body: string; headers: Record<string, unknown> } | undefined;
  const reply = {
    json: (body: string, status = 200, headers = {}) => {
      answer = { status, body, headers };
    },
    text: (status: number, body: string) => {
      answer = { status, body, headers: {} };
    },
  } as unknown as HttpReply;
  await routes[0]!.handle({} as HttpRequest, reply);
  return answer!;
}

describe("the registry over HTTP", () => {
  it("is the leader's own, in the form of its message", async () => {
    const { status, body, headers } = await ask({ role: "leading", leader: LEADER }, async () => STATE);
    expect(status).to.equal(200);
    expect(JSON.parse(body).slaves.slaves[0].info).to.deep.include({ hostname: "h", id: { value: "a" } });
    expect(headers).to.deep.equal({});
  });

  it("says on a master that does not lead that it may be old, and who knows better", async () => {
    const stale = { Warning: '110 - "Response is Stale"' };
    const known = await ask({ role: "standby", leader: LEADER }, async () => STATE);
    expect(known.headers).to.deep.equal({ ...stale, "Tepui-Leader": "//leader.example:5050" });
    expect(JSON.parse(known.body).slaves.slaves).to.have.length(1);
    const alone = await ask({ role: "standby", leader: undefined }, async () => STATE);
    expect(alone.headers).to.deep.equal(stale);
  });

  it("is empty where nothing has been read, as in Mesos", async () => {
    expect((await ask({ role: "recovering", leader: LEADER }, async () => undefined)).body).to.equal("{}");
    expect((await ask({ role: "standby", leader: LEADER }, undefined)).body).to.equal("{}");
  });

  it("says when the store does not answer", async () => {
    const { status, body } = await ask({ role: "standby", leader: LEADER }, async () => {
      throw new Error("no answer from etcd within 60000 ms");
    });
    expect(status).to.equal(503);
    expect(body).to.contain("no answer from etcd");
  });
});
