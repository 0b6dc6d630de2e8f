import { expect } from "chai";
import { OperatorEndpoint } from "../../../plugins/operator-http/operator-endpoint.js";
import type { OperatorStreams } from "../../../plugins/operator-http/operator-streams.js";
import { Call, Response } from "../../../proto/gen/json/mesos/v1/master/master.js";
import { Call_Type } from "../../../proto/gen/mesos/v1/master/master.js";
import type { Files } from "../../../sdk/contracts/files.js";
import type { HttpReply, HttpRequest } from "../../../sdk/contracts/http-server.js";
import { TimedVerbosity } from "../../../sdk/contracts/log-verbosity.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { SharedReads } from "../../../sdk/http/index.js";
import { TestAgent } from "../../core/master/harness/agent.js";
import { MasterHarness } from "../../core/master/harness/master-harness.js";

interface Answer {
  status: number;
  body: string | Uint8Array;
  type?: unknown;
}

class Asked {
  private readonly verbosity: TimedVerbosity;

  private constructor(private readonly harness: MasterHarness) {
    this.verbosity = new TimedVerbosity(harness.clock);
  }

  advance(ms: number): Promise<void> {
    return this.harness.clock.advance(ms);
  }

  static async begin(): Promise<Asked> {
    return new Asked(await new MasterHarness().start());
  }

  async ask(body: string | Buffer, headers: Record<string, string> = {}, method = "POST"): Promise<Answer> {
    const { master, metrics } = this.harness;
    const build = { version: "1.12.0", buildTime: 1_795_332_869 };
    const { verbosity } = this;
    const streams = {} as OperatorStreams;
    const endpoint = new OperatorEndpoint({
      service: master,
      view: master.view,
      metrics,
      build,
      streams,
      shared: new SharedReads(this.harness.clock),
      verbosity,
      files: FILES,
    });
    let answer: Answer | undefined;
    const reply = {
      send: (status: number, sent: string | Uint8Array = "", more: Record<string, unknown> = {}) => {
        answer = { status, body: sent, type: more["Content-Type"] };
      },
      text: (status: number, sent: string) => {
        answer = { status, body: sent };
      },
    } as unknown as HttpReply;
    const request = {
      method,
      target: "/api/v1",
      headers: { "content-type": "application/json", ...headers },
      principal: undefined,
      received: Buffer.from(body),
    } as unknown as HttpRequest;
    try {
      await endpoint.handle(request, reply);
    } catch (error) {
      if (!isTepuiError(error)) throw error;
      answer = { status: error.http, body: error.detail ?? error.message };
    }
    return answer!;
  }

  subscribe(more: Record<string, unknown>): void {
    const subscribe = { framework_info: { user: "u", name: "n" }, ...more };
    this.harness.subscribe(JSON.stringify({ type: "SUBSCRIBE", subscribe }));
  }

  /** Registers one on this host; gives its id. */
  async agent(hostname: string): Promise<string> {
    const { transport } = this.harness;
    const agent = new TestAgent({ name: "a", pid: "slave(1)@10.0.0.1:5051", resources: "cpus:1" }, transport);
    transport.sent = (_, message) => agent.take(message);
    agent.register((message) => ({ ...message, slave: { ...message.slave!, hostname } }));
    await this.settle();
    return agent.id;
  }

  /** The allocator asks the only framework to do without this agent. */
  async inverseOffer(agentId: string): Promise<void> {
    const [framework] = this.harness.master.view.frameworks();
    this.harness.allocator.inverseOffer(framework!.id, agentId, { start: { nanoseconds: 5n } });
    await this.settle();
  }

  accept(framework_id: unknown, offerId: unknown): void {
    const accept_inverse_offers = { inverse_offer_ids: [offerId] };
    const call = { type: "ACCEPT_INVERSE_OFFERS", framework_id, accept_inverse_offers };
    void this.harness.call(JSON.stringify(call), "stream-1");
  }

  settle(): Promise<void> {
    return this.harness.settle();
  }

  async json(call: Record<string, unknown>): Promise<string> {
    const { status, body } = await this.ask(JSON.stringify(call));
    return `${status} ${body.toString()}`;
  }
}

const FILES: Files = {
  attach: () => () => undefined,
  browse: async (path) => [{ path: `${path}/log`, size: 5n }],
  read: async ({ offset, length = 5 }) => ({
    size: 5,
    data: Buffer.from("hello").subarray(offset, offset + length),
  }),
};

/** What a Mesos of the same state answers. */
const READS: Readonly<Record<string, string>> = {
  GET_HEALTH: '{"type":"GET_HEALTH","get_health":{"healthy":true}}',
  GET_LOGGING_LEVEL: '{"type":"GET_LOGGING_LEVEL","get_logging_level":{"level":0}}',
  GET_MAINTENANCE_SCHEDULE: '{"type":"GET_MAINTENANCE_SCHEDULE","get_maintenance_schedule":{"schedule":{}}}',
  GET_MAINTENANCE_STATUS: '{"type":"GET_MAINTENANCE_STATUS","get_maintenance_status":{"status":{}}}',
  GET_OPERATIONS: '{"type":"GET_OPERATIONS","get_operations":{}}',
  GET_QUOTA: '{"type":"GET_QUOTA","get_quota":{"status":{}}}',
  GET_WEIGHTS: '{"type":"GET_WEIGHTS"}',
  GET_ROLES: '{"type":"GET_ROLES","get_roles":{}}',
  GET_AGENTS: '{"type":"GET_AGENTS","get_agents":{"agents":[],"recovered_agents":[]}}',
  GET_STATE:
    '{"type":"GET_STATE","get_state":{"get_tasks":{"tasks":[],"unreachable_tasks":[],"completed_tasks":[]}' +
    ',"get_executors":{"executors":[]},"get_frameworks":{"frameworks":[],"completed_frameworks":[]}' +
    ',"get_agents":{"agents":[],"recovered_agents":[]}}}',
};

describe("the operator API over HTTP", () => {
  for (const [type, expected] of Object.entries(READS)) {
    it(`answers ${type}`, async () => {
      const asked = await Asked.begin();
      expect(await asked.json({ type })).to.equal(`200 ${expected}`);
    });
  }

  it("tells the offer constraints of frameworks, if only that there are none", async () => {
    const asked = await Asked.begin();
    const rack = { selector: { attribute_name: "rack" }, predicate: { exists: {} } };
    const constraints = { role_constraints: { "*": { groups: [{ attribute_constraints: [rack] }] } } };
    asked.subscribe({});
    asked.subscribe({ offer_constraints: constraints });
    const { get_frameworks } = JSON.parse((await asked.json({ type: "GET_FRAMEWORKS" })).slice(4));
    const told = get_frameworks.frameworks.map((one: Record<string, unknown>) => one.offer_constraints);
    expect(told).to.deep.equal([{}, constraints]);
  });

  it("speaks protobuf to those who do", async () => {
    const asked = await Asked.begin();
    const body = Buffer.from(Call.encode({ type: Call_Type.GET_VERSION }));
    const answer = await asked.ask(body, { "content-type": "application/x-protobuf" });
    expect(answer.type).to.equal("application/x-protobuf");
    expect(Response.decode(Buffer.from(answer.body)).get_version?.version_info?.version).to.equal("1.12.0");
  });

  it("refuses as Mesos does", async () => {
    const asked = await Asked.begin();
    const invalid = "400 Failed to validate master::Call:";
    expect(await asked.json({})).to.equal(`${invalid} Expecting 'type' to be present`);
    expect(await asked.json({ type: "FLY" })).to.equal(`${invalid} Expecting 'type' to be present`);
    expect(await asked.json({ type: "TEARDOWN" })).to.equal(`${invalid} Expecting 'teardown' to be present`);
    const grow_volume = { volume: VOLUME, addition: VOLUME };
    expect(await asked.json({ type: "GROW_VOLUME", grow_volume })).to.equal(
      `${invalid} Expecting 'agent_id' to be present; only agent default resources are supported right now`,
    );
    expect((await asked.ask("", {}, "GET")).status).to.equal(405);
    expect(await asked.ask('{"type":"GET_HEALTH"}', { accept: "text/html" })).to.deep.equal({
      status: 406,
      body: "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
    });
  });

  it("lists and reads files", async () => {
    const asked = await Asked.begin();
    const list = await asked.json({ type: "LIST_FILES", list_files: { path: "/master" } });
    expect(list).to.equal(
      '200 {"type":"LIST_FILES","list_files":{"file_infos":[{"path":"/master/log","size":5}]}}',
    );
    const read = await asked.json({
      type: "READ_FILE",
      read_file: { path: "/master/log", offset: 1, length: 3 },
    });
    expect(read).to.equal('200 {"type":"READ_FILE","read_file":{"size":5,"data":"ZWxs"}}');
    expect(await asked.json({ type: "READ_FILE" }))
      .to.contain("400 ")
      .and.contain("'read_file' to be present");
  });

  it("raises the level of the log for as long as it is asked to", async () => {
    const asked = await Asked.begin();
    const level = async (): Promise<number> =>
      JSON.parse((await asked.json({ type: "GET_LOGGING_LEVEL" })).slice(4)).get_logging_level.level;
    const set_logging_level = { level: 2, duration: { nanoseconds: 5_000_000_000 } };
    expect(await asked.json({ type: "SET_LOGGING_LEVEL", set_logging_level })).to.equal("200 ");
    await asked.advance(4_999);
    expect(await level()).to.equal(2);
    await asked.advance(1);
    expect(await level()).to.equal(0);
  });

  it("plans maintenance, takes machines down and brings them up", async () => {
    const asked = await Asked.begin();
    const one = { hostname: "h1", ip: "10.0.0.1" };
    const schedule = { windows: [{ machine_ids: [one], unavailability: { start: { nanoseconds: 5 } } }] };
    const update = { type: "UPDATE_MAINTENANCE_SCHEDULE", update_maintenance_schedule: { schedule } };
    expect(await asked.json(update)).to.equal("200 ");
    const told = await asked.json({ type: "GET_MAINTENANCE_SCHEDULE" });
    expect(JSON.parse(told.slice(4)).get_maintenance_schedule).to.deep.equal({ schedule });
    const status = async () =>
      JSON.parse((await asked.json({ type: "GET_MAINTENANCE_STATUS" })).slice(4)).get_maintenance_status
        .status;
    expect(await status()).to.deep.equal({ draining_machines: [{ id: one }] });
    expect(await asked.json({ type: "START_MAINTENANCE", start_maintenance: { machines: [one] } })).to.equal(
      "200 ",
    );
    expect(await status()).to.deep.equal({ down_machines: [one] });
    expect(await asked.json({ type: "STOP_MAINTENANCE", stop_maintenance: { machines: [one] } })).to.equal(
      "200 ",
    );
    expect(await status()).to.deep.equal({});
  });

  it("refuses what is no maintenance, in Mesos's words", async () => {
    const asked = await Asked.begin();
    const start = (machines: unknown[]) =>
      asked.json({ type: "START_MAINTENANCE", start_maintenance: { machines } });
    expect(await start([])).to.equal("400 List of machines is empty");
    expect(await start([{}])).to.equal("400 Both 'hostname' and 'ip' for a machine are empty");
    expect(await start([{ ip: "1.2.3" }])).to.equal("400 Failed to parse IPv4: 1.2.3");
    expect(await start([{ hostname: "h" }, { hostname: "H" }])).to.equal(
      `400 Machine '{"hostname":"H"}' appears more than once in the schedule`,
    );
    expect(await start([{ hostname: "h", ip: "10.0.0.1" }])).to.equal(
      `400 Machine '{"hostname":"h","ip":"10.0.0.1"}' is not part of a maintenance schedule`,
    );
    expect(await asked.json({ type: "STOP_MAINTENANCE" })).to.equal(
      "400 Failed to validate master::Call: Expecting 'stop_maintenance' to be present",
    );
  });

  it("drains, deactivates and gives up only agents that it knows", async () => {
    const asked = await Asked.begin();
    const agent_id = { value: "S9" };
    const drain_agent = { agent_id, max_grace_period: { seconds: 10 }, mark_gone: true };
    expect(await asked.json({ type: "DRAIN_AGENT", drain_agent })).to.equal("400 Unknown agent");
    for (const seconds of ["-1", "9223372036854775807"]) {
      const unfit = { agent_id, max_grace_period: { seconds } };
      expect(await asked.json({ type: "DRAIN_AGENT", drain_agent: unfit })).to.match(
        /^400 'max_grace_period' is negative or too long$/,
      );
    }
    expect(await asked.json({ type: "DEACTIVATE_AGENT", deactivate_agent: { agent_id } })).to.equal(
      "400 Unknown agent",
    );
    expect(await asked.json({ type: "REACTIVATE_AGENT", reactivate_agent: { agent_id } })).to.equal(
      "400 Agent is not deactivated",
    );
    expect(await asked.json({ type: "MARK_AGENT_GONE", mark_agent_gone: { agent_id } })).to.equal(
      "404 Agent 'S9' not found",
    );
  });

  it("tells how an agent drains", async () => {
    const asked = await Asked.begin();
    const id = await asked.agent("host-a");
    const drain_agent = { agent_id: { value: id }, max_grace_period: { seconds: 1, nanos: 500_000_000 } };
    expect(await asked.json({ type: "DRAIN_AGENT", drain_agent })).to.equal("200 ");
    await asked.settle();
    const [agent] = JSON.parse((await asked.json({ type: "GET_AGENTS" })).slice(4)).get_agents.agents;
    expect(agent).to.deep.include({ active: false, deactivated: true });
    expect(agent.drain_info).to.deep.equal({
      state: "DRAINED",
      config: { max_grace_period: { nanoseconds: 1_500_000_000 }, mark_gone: false },
    });
    expect(agent.estimated_drain_start_time.nanoseconds).to.be.greaterThan(0);
    expect(
      await asked.json({ type: "REACTIVATE_AGENT", reactivate_agent: { agent_id: { value: id } } }),
    ).to.equal("200 ");
    const after = JSON.parse((await asked.json({ type: "GET_AGENTS" })).slice(4)).get_agents.agents[0];
    expect(after).to.deep.include({ active: true, deactivated: false });
    expect(after).not.to.have.any.keys("drain_info", "estimated_drain_start_time");
  });

  it("tells what a framework was asked to do without, and what it said", async () => {
    const asked = await Asked.begin();
    const id = await asked.agent("host-a");
    asked.subscribe({});
    const machine = { hostname: "host-a", ip: "10.0.0.1" };
    const schedule = { windows: [{ machine_ids: [machine], unavailability: { start: { nanoseconds: 5 } } }] };
    await asked.json({ type: "UPDATE_MAINTENANCE_SCHEDULE", update_maintenance_schedule: { schedule } });
    await asked.inverseOffer(id);
    const framework = async () =>
      JSON.parse((await asked.json({ type: "GET_FRAMEWORKS" })).slice(4)).get_frameworks.frameworks[0];
    const { inverse_offers: offers, framework_info: info } = await framework();
    expect(offers).to.have.length(1);
    expect(offers[0]).to.deep.include({
      agent_id: { value: id },
      framework_id: info.id,
      unavailability: { start: { nanoseconds: 5 } },
    });
    asked.accept(info.id, offers[0].id);
    expect((await framework()).inverse_offers ?? []).to.deep.equal([]);
    const status = JSON.parse((await asked.json({ type: "GET_MAINTENANCE_STATUS" })).slice(4));
    const [draining] = status.get_maintenance_status.status.draining_machines;
    expect(draining.id).to.deep.equal(machine);
    expect(draining.statuses[0]).to.include({ status: "ACCEPT" });
    expect(draining.statuses[0].timestamp.nanoseconds).to.be.greaterThan(0);
  });

  it("sends what is wrong with a request back", async () => {
    const asked = await Asked.begin();
    const destroy_volumes = { agent_id: { value: "S9" }, volumes: [VOLUME] };
    expect(await asked.json({ type: "DESTROY_VOLUMES", destroy_volumes })).to.equal(
      "400 No agent found with specified ID",
    );
    const teardown = { framework_id: { value: "F9" } };
    expect(await asked.json({ type: "TEARDOWN", teardown })).to.equal(
      "400 No framework found with specified ID",
    );
  });
});

const VOLUME = { name: "disk", type: "SCALAR", scalar: { value: 1 } };
