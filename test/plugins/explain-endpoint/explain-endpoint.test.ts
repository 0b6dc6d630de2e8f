import { expect } from "chai";
import { createTestKernel, override, type TestKernel } from "../../../core/testing/index.js";
import drfAllocator from "../../../plugins/drf-allocator/index.js";
import { ADVICE } from "../../../plugins/explain-endpoint/advice.js";
import explainEndpoint from "../../../plugins/explain-endpoint/index.js";
import {
  AgentInfo_Capability_Type as AgentCapability,
  AgentInfo,
  FrameworkInfo_Capability_Type as Capability,
  FrameworkInfo,
  type MasterInfo,
} from "../../../proto/gen/mesos/v1/mesos.js";
import {
  OfferConstraints,
  AttributeConstraint_Selector_PseudoattributeType as Pseudoattribute,
} from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { Allocator } from "../../../sdk/contracts/allocator.js";
import {
  type HttpReply,
  type HttpRequest,
  type HttpRoute,
  HttpServer,
} from "../../../sdk/contracts/http-server.js";
import { type FrameworkRecord, MasterView } from "../../../sdk/contracts/master-view.js";
import type { Leadership } from "../../../sdk/contracts/scheduler-service.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { frameworkRecord, masterView, resources } from "../master-endpoints/records.js";

const LEADER: MasterInfo = {
  id: "other",
  ip: 0,
  port: 5050,
  pid: "master@10.0.0.9:5050",
  hostname: "leader.example",
  capabilities: [],
};

/** The endpoint with a real allocator, that holds nothing back. */
class Bench {
  leadership: Leadership = { role: "leading" } as Leadership;
  readonly frameworks: FrameworkRecord[] = [];
  readonly completed: FrameworkRecord[] = [];
  private readonly routes: HttpRoute[] = [];
  private kernel!: TestKernel;

  static async open(): Promise<Bench> {
    const bench = new Bench();
    const server: HttpServer = {
      address: { ip: "10.0.0.1", port: 5050, hostname: "m.example" },
      route: (route) => void bench.routes.push(route),
      take: () => undefined,
      intercept: () => undefined,
    };
    const view = masterView({
      leadership: () => bench.leadership,
      frameworks: () => bench.frameworks,
      framework: (id) => bench.frameworks.find((each) => each.id === id),
      completedFrameworks: () => bench.completed,
    });
    bench.kernel = await createTestKernel({
      plugins: [drfAllocator, explainEndpoint],
      overrides: [override(HttpServer, server), override(MasterView, view)],
    });
    bench.allocator.start({ offer: () => undefined });
    return bench;
  }

  get allocator(): Allocator {
    return this.kernel.kernel.get(Allocator);
  }

  stop(): Promise<unknown> {
    this.allocator.stop();
    return this.kernel.stop();
  }

  advance(milliseconds: number): Promise<void> {
    return this.kernel.clock.advance(milliseconds);
  }

  agent(id: string, total: string): void {
    const info = AgentInfo.fromPartial({ id: { value: id }, hostname: `${id}.example` });
    const capabilities = [AgentCapability.MULTI_ROLE, AgentCapability.HIERARCHICAL_ROLE].map((type) => ({
      type,
    }));
    this.allocator.addAgent({ id, info, capabilities, total: resources(total), used: new Map() });
  }

  framework(id: string, name: string, roles: string[] = ["dev"], constraints?: OfferConstraints): void {
    const info = FrameworkInfo.fromPartial({
      id: { value: id },
      name,
      roles,
      capabilities: [{ type: Capability.MULTI_ROLE }],
    });
    this.frameworks.push({ ...frameworkRecord(id), info, roles });
    this.allocator.addFramework(
      { id, info, active: true, suppressedRoles: [], offerConstraints: constraints },
      new Map(),
    );
  }

  /** Status and body. */
  async ask(query: string, path = "/allocator/explain"): Promise<[number, string]> {
    const route = this.routes.find((each) => each.path === path)!;
    const target = `${path}?${query}`;
    let answer: [number, string] = [0, ""];
    const reply: Partial<HttpReply> = {
      json: (body, status = 200) => {
        answer = [status, String(body)];
      },
      text: (status, body) => {
        answer = [status, body];
      },
      send: (status, _body, headers) => {
        answer = [status, String(headers?.Location ?? "")];
      },
    };
    try {
      const request = { target, query: new URLSearchParams(query) };
      await route.handle(request as HttpRequest, reply as HttpReply);
    } catch (error) {
      if (!isTepuiError(error)) throw error;
      return [error.http, error.detail ?? ""];
    }
    return answer;
  }

  async explain(query: string) {
    const [status, body] = await this.ask(query);
    expect(status, body).to.equal(200);
    return JSON.parse(body);
  }
}

describe("/allocator/explain", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.open();
  });
  afterEach(() => bench.stop());

  it("tells shares, what is held, and where nothing stands in the way", async () => {
    bench.agent("S0", "cpus:4;mem:1024");
    bench.framework("f-0000", "web");
    const answer = await bench.explain("framework=f-0000");
    expect(answer.framework).to.deep.equal({ id: "f-0000", name: "web", active: true, connected: true });
    expect(answer.agents).to.equal(1);
    const [role] = answer.roles;
    expect(role.role).to.equal("dev");
    expect(role.offerable_agents).to.equal(1);
    expect(role.held).to.deep.equal({});
    expect(role.role_share).to.deep.equal({ dominant_share: 0, weight: 1, position: 1, of: 1 });
    await bench.advance(1000);
    const [after] = (await bench.explain("framework=f-0000")).roles;
    expect(after.held).to.deep.equal({ cpus: 4, mem: 1024 });
    expect(after.role_share.dominant_share).to.equal(1);
    expect(after.reasons).to.have.length(1);
    expect(after.reasons[0]).to.deep.include({ code: "NOTHING_FREE", agents: 1, examples: ["S0"] });
    expect(after.reasons[0].advice).to.equal(ADVICE.NOTHING_FREE);
  });

  it("tells the limits of quota that are reached, and whose guarantees are waited for", async () => {
    bench.agent("S0", "cpus:4;mem:1024");
    bench.allocator.updateQuota("dev", {
      guarantees: new Map(),
      limits: new Map([
        ["cpus", 0],
        ["mem", 0],
      ]),
    });
    bench.framework("f-0000", "web");
    const limited = (await bench.explain("framework=f-0000")).roles[0].reasons[0];
    expect(limited.code).to.equal("QUOTA_LIMIT");
    expect(limited.limits).to.deep.include({ role: "dev", resource: "cpus", consumed: 0, bound: 0 });
    bench.allocator.updateQuota("dev", { guarantees: new Map(), limits: new Map() });
    const guarantees = new Map([
      ["cpus", 4000],
      ["mem", 1_024_000],
    ]);
    bench.allocator.updateQuota("prod", { guarantees, limits: guarantees });
    const held = (await bench.explain("framework=f-0000")).roles[0].reasons[0];
    expect(held.code).to.equal("QUOTA_HEADROOM");
    expect(held.held_for).to.deep.include({ role: "prod", resource: "cpus", consumed: 0, bound: 4 });
  });

  it("tells in seconds when refusals end", async () => {
    bench.agent("S0", "cpus:4;mem:1024");
    bench.framework("f-0000", "web");
    await bench.advance(1000);
    bench.allocator.recover({
      frameworkId: "f-0000",
      agentId: "S0",
      resources: resources("cpus:4;mem:1024").allocate("dev"),
      filters: { refuse_seconds: 60 },
    });
    await bench.advance(10_000);
    const [reason] = (await bench.explain("framework=f-0000")).roles[0].reasons;
    expect(reason.code).to.equal("FILTERED");
    expect(reason.filter_ends_in).to.deep.equal({ first: 50, last: 50 });
  });

  it("finds a framework by its id, its name, or the end of its id, and one role", async () => {
    bench.framework("f-0000", "web", ["dev", "ops"]);
    bench.framework("f-0001", "f-0000");
    const id = async (text: string) => (await bench.explain(`framework=${text}`)).framework.id;
    expect(await id("f-0000"), "the id comes before the name").to.equal("f-0000");
    expect(await id("web")).to.equal("f-0000");
    expect(await id("0001")).to.equal("f-0001");
    expect((await bench.explain("framework=web")).roles).to.have.length(2);
    const [only, ...others] = (await bench.explain("framework=web&role=ops")).roles;
    expect([only.role, others]).to.deep.equal(["ops", []]);
    const [strange] = (await bench.explain("framework=web&role=none")).roles;
    expect(strange.reasons.map(({ code }: { code: string }) => code)).to.include("NOT_SUBSCRIBED");
  });

  it("says which frameworks there are, where it does not find one or finds several", async () => {
    expect(await bench.ask("framework=x")).to.deep.equal([
      404,
      "there is no framework 'x'; no framework is registered",
    ]);
    bench.framework("f-0000", "twin");
    bench.framework("f-0010", "twin");
    bench.completed.push({ ...frameworkRecord("f-0002"), active: false });
    const both = "f-0000 (twin), f-0010 (twin)";
    expect(await bench.ask("framework=x")).to.deep.equal([
      404,
      `there is no framework 'x'; there are ${both}`,
    ]);
    expect(await bench.ask("")).to.deep.equal([404, `none is named; there are ${both}`]);
    expect(await bench.ask("framework=f-0002")).to.deep.equal([404, `'f-0002' has ended; there are ${both}`]);
    expect(await bench.ask("framework=twin")).to.deep.equal([409, `'twin' means ${both}`]);
    expect(await bench.ask("framework=0")).to.deep.equal([409, `'0' means ${both}`]);
    for (let i = 0; i < 30; i++) bench.framework(`g-${i}`, "many");
    expect((await bench.ask("framework=x"))[1]).to.match(/ and 12 more$/);
  });

  it("is answered by the leader alone", async () => {
    bench.framework("f-0000", "web");
    bench.leadership = { role: "standby", leader: LEADER };
    expect(await bench.ask("framework=web")).to.deep.equal([
      307,
      "//leader.example:5050/master/allocator/explain?framework=web",
    ]);
    bench.leadership = { role: "standby", leader: undefined };
    expect((await bench.ask("framework=web"))[0]).to.equal(503);
  });

  it("says of a framework that only agents have told of that it has not subscribed", async () => {
    bench.frameworks.push({ ...frameworkRecord("f-0007"), recovered: true, connected: false, active: false });
    expect(await bench.ask("framework=f-0007")).to.deep.equal([404, "'f-0007' has not subscribed yet"]);
  });
});

describe("/allocator/offer_constraints_debug", () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = await Bench.open();
  });
  afterEach(() => bench.stop());

  const answer = async () => JSON.parse((await bench.ask("", "/allocator/offer_constraints_debug"))[1]);

  it("tells of each framework which agents are excluded in which role", async () => {
    expect(await answer()).to.deep.equal({ frameworks: {} });
    bench.agent("S0", "cpus:4");
    bench.agent("S1", "cpus:4");
    const hostname = { pseudoattribute_type: Pseudoattribute.HOSTNAME };
    const constraint = { selector: hostname, predicate: { text_equals: { value: "S1.example" } } };
    const constraints = OfferConstraints.fromPartial({
      role_constraints: { dev: { groups: [{ attribute_constraints: [constraint] }] } },
    });
    bench.framework("f-0000", "web", ["ops", "dev"], constraints);
    bench.framework("f-0001", "free");
    expect(await answer()).to.deep.equal({
      frameworks: {
        "f-0000": {
          suppressed_roles: [],
          excluded_by_attribute_constraints: { dev: ["S0"], ops: [] },
        },
        "f-0001": { suppressed_roles: [], excluded_by_attribute_constraints: { dev: [] } },
      },
    });
  });

  it("tells the roles that get no offers because they are not wanted", async () => {
    bench.framework("f-0000", "web");
    bench.frameworks.push({ ...bench.frameworks.pop()!, suppressedRoles: ["ops", "dev"] });
    expect((await answer()).frameworks["f-0000"].suppressed_roles).to.deep.equal(["dev", "ops"]);
  });
});
