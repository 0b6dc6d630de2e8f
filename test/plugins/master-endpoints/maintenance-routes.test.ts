import { expect } from "chai";
import { addMaintenanceRoutes } from "../../../plugins/master-endpoints/maintenance-routes.js";
import type { HttpReply, HttpRequest, HttpRoute, HttpServer } from "../../../sdk/contracts/http-server.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { MasterHarness } from "../../core/master/harness/master-harness.js";

/** The routes of a master that leads; `ask` gives the status and the body of the answer. */
async function routes() {
  const { master } = await new MasterHarness().start();
  const byPath = new Map<string, HttpRoute>();
  const server = { route: (route: HttpRoute) => byPath.set(route.path, route) };
  addMaintenanceRoutes(server as unknown as HttpServer, master);
  return async (method: string, path: string, body = ""): Promise<string> => {
    let answer = "no answer";
    const reply = {
      send: (status: number, sent = "") => {
        answer = `${status} ${sent}`.trim();
      },
      text: (status: number, sent: string) => {
        answer = `${status} ${sent}`;
      },
      json: (sent: string) => {
        answer = `200 ${sent}`;
      },
    } as unknown as HttpReply;
    const request = { method, target: path, headers: {}, body: async () => Buffer.from(body) };
    try {
      await byPath.get(path)?.handle(request as unknown as HttpRequest, reply);
    } catch (error) {
      if (!isTepuiError(error)) throw error;
      answer = `${error.http} ${error.detail}`;
    }
    return answer;
  };
}

const MACHINE = { hostname: "h1", ip: "10.0.0.1" };
const SCHEDULE = JSON.stringify({
  windows: [{ machine_ids: [MACHINE], unavailability: { start: { nanoseconds: 5 } } }],
});

describe("the maintenance endpoints", () => {
  it("have nothing to say at first", async () => {
    const ask = await routes();
    expect(await ask("GET", "/maintenance/schedule")).to.equal("200 {}");
    expect(await ask("GET", "/maintenance/status")).to.equal("200 {}");
  });

  it("take a schedule, bring machines down and up", async () => {
    const ask = await routes();
    const machines = JSON.stringify([MACHINE]);
    expect(await ask("POST", "/maintenance/schedule", SCHEDULE)).to.equal("200");
    expect(await ask("GET", "/maintenance/schedule")).to.equal(`200 ${SCHEDULE}`);
    expect(await ask("GET", "/maintenance/status")).to.equal(
      `200 {"draining_machines":[{"id":{"hostname":"h1","ip":"10.0.0.1"}}]}`,
    );
    expect(await ask("POST", "/machine/up", machines)).to.equal(
      `400 Machine '{"hostname":"h1","ip":"10.0.0.1"}' is not in DOWN mode and cannot be brought up`,
    );
    expect(await ask("POST", "/machine/down", machines)).to.equal("200");
    expect(await ask("GET", "/maintenance/status")).to.equal(
      `200 {"down_machines":[{"hostname":"h1","ip":"10.0.0.1"}]}`,
    );
    expect(await ask("POST", "/machine/down", machines)).to.equal(
      `400 Machine '{"hostname":"h1","ip":"10.0.0.1"}' is not in DRAINING mode and cannot be brought down`,
    );
    expect(await ask("POST", "/maintenance/schedule", "{}")).to.equal(
      `400 Machine '{"hostname":"h1","ip":"10.0.0.1"}' is deactivated and cannot be removed from the schedule`,
    );
    expect(await ask("POST", "/machine/up", machines)).to.equal("200");
    expect(await ask("GET", "/maintenance/schedule")).to.equal("200 {}");
  });

  it("refuse what is no schedule and no list of machines", async () => {
    const ask = await routes();
    const window = { machine_ids: [MACHINE], unavailability: { start: { nanoseconds: 5 } } };
    const schedule = (...windows: unknown[]) =>
      ask("POST", "/maintenance/schedule", JSON.stringify({ windows }));
    expect(await ask("POST", "/maintenance/schedule", "[]")).to.equal("400 Unexpected JSON type parsed");
    expect(await ask("POST", "/maintenance/schedule", "{")).to.match(/^400 /);
    expect(await schedule({ ...window, machine_ids: [] })).to.equal(
      "400 List of machines in the maintenance window is empty",
    );
    expect(await schedule(window, window)).to.equal(
      `400 Machine '{"hostname":"h1","ip":"10.0.0.1"}' appears more than once in the schedule`,
    );
    const negative = { start: { nanoseconds: 5 }, duration: { nanoseconds: -1 } };
    expect(await schedule({ ...window, unavailability: negative })).to.equal(
      "400 Unavailability 'duration' is negative",
    );
    expect(await schedule({ machine_ids: [MACHINE] })).to.match(/^400 .*unavailability/);
    expect(await ask("POST", "/machine/down", "{}")).to.equal("400 Unexpected JSON type parsed");
    expect(await ask("POST", "/machine/up", "[]")).to.equal("400 List of machines is empty");
  });

  it("have no other methods", async () => {
    const ask = await routes();
    for (const [path, methods] of [
      ["/maintenance/schedule", "{ 'GET', 'POST' }"],
      ["/maintenance/status", "{ 'GET' }"],
      ["/machine/down", "{ 'POST' }"],
      ["/machine/up", "{ 'POST' }"],
    ] as const) {
      expect(await ask("DELETE", path))
        .to.include("405")
        .and.include(methods);
    }
  });
});
