import { expect } from "chai";
import { masterConfig, optionsOf } from "../../../core/master/config.js";
import { Master } from "../../../core/master/master.js";
import { masterInfo } from "../../../core/master/master-info.js";
import { RegisterSlaveMessage } from "../../../proto/gen/mesos/internal/messages.js";
import type { DomainInfo, MasterInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { Call_Type, Event_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { Candidacy, Election, Tenure } from "../../../sdk/contracts/election.js";
import { MetricsRegistry } from "../../../sdk/contracts/metrics-registry.js";
import type { Registry } from "../../../sdk/contracts/registry.js";
import { isTepuiError, TepuiError } from "../../../sdk/errors/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../sdk/testing/virtual-clock.js";
import { FakeTransport } from "./harness/fake-transport.js";
import { ManualAllocator } from "./harness/manual-allocator.js";
import { TestStream } from "./harness/master-harness.js";

class FakeElection implements Election {
  candidates: Candidacy[] = [];
  tell: (leader: MasterInfo | undefined) => void = () => {};

  contend(_info: MasterInfo, candidacy: Candidacy): () => Promise<void> {
    this.candidates.push(candidacy);
    return async () => {};
  }

  watch(changed: (leader: MasterInfo | undefined) => void): () => void {
    this.tell = changed;
    changed(undefined);
    return () => {};
  }
}

/** A registry that answers when the test says so. */
class SlowRegistry implements Registry {
  answer: (error?: Error) => void = () => {};
  /** By which the master reads it. */
  tenure: Tenure | undefined;
  /** What it takes to read it. */
  needed: string[] = [];

  recover(_master: MasterInfo, tenure?: Tenure) {
    this.tenure = tenure;
    return new Promise<Awaited<ReturnType<Registry["recover"]>>>((resolve, reject) => {
      this.answer = (error) =>
        error === undefined
          ? resolve({
              schedules: [],
              quotas: [],
              quota_configs: [],
              weights: [],
              minimum_capabilities: this.needed.map((capability) => ({ capability })),
            })
          : reject(error);
    });
  }

  broken = false;

  async apply(): Promise<boolean> {
    if (this.broken) throw new Error("disk full");
    return true;
  }
}

describe("Master", () => {
  const clock = new VirtualClock();
  const make = (domain?: DomainInfo) => {
    const election = new FakeElection();
    const registry = new SlowRegistry();
    const transport = new FakeTransport();
    const logger = new MemoryLogger();
    const allocator = new ManualAllocator();
    const metrics = new MetricsRegistry(clock);
    const failures: string[] = [];
    const master = new Master({
      options: optionsOf(masterConfig.parse({})),
      clusterName: undefined,
      flags: new Map(),
      random: new SeededRandom(),
      clock,
      metrics,
      logger,
      allocator,
      registry,
      election,
      transport,
      failed: () => failures.push("failed"),
    });
    master.start(masterInfo({ ip: "10.0.0.1", port: 5050, hostname: "m", domain }));
    return { master, election, registry, transport, logger, allocator, metrics, failures };
  };

  const subscribe = (master: Master): TestStream => {
    const connection = new TestStream("s");
    const framework_info = { user: "u", name: "n", roles: [], capabilities: [], offer_filters: {} };
    const call = { type: Call_Type.SUBSCRIBE, subscribe: { framework_info, suppressed_roles: [] } };
    master.subscribe({ call, principal: undefined, connection, streamId: "s" });
    return connection;
  };

  const register = (transport: FakeTransport, from: string): void => {
    const message = RegisterSlaveMessage.fromPartial({
      slave: { hostname: "a", port: 5051 },
      version: "1.12.0",
      agent_capabilities: [{ type: 1 }],
    });
    const body = RegisterSlaveMessage.encode(message).finish();
    transport.deliver("master", { from, name: "mesos.internal.RegisterSlaveMessage", body });
  };

  it("stands by until elected, and serves once the registry has been read", async () => {
    const { master, election, registry, transport, metrics } = make();
    expect(master.leadership()).to.deep.equal({ role: "standby", leader: undefined });
    const other = { id: "other", capabilities: [] };
    election.tell(other);
    expect(master.leadership()).to.deep.equal({ role: "standby", leader: other });
    expect(() => subscribe(master))
      .to.throw()
      .that.satisfies(isTepuiError)
      .and.has.property("http", 503);
    expect(transport.actors).to.not.include("master");

    election.candidates[0]!.elected();
    await clock.advance(0);
    expect(master.leadership().role).to.equal("recovering");
    expect(() => subscribe(master))
      .to.throw()
      .that.has.property("code", "TEPUI_SCHEDULER_MASTER_NOT_LEADING");

    registry.answer();
    await clock.advance(0);
    expect(master.leadership().role).to.equal("leading");
    expect(transport.actors).to.include("master");
    expect(metrics.snapshot().get("master/elected")).to.equal(1);
    expect(subscribe(master).events[0]?.type).to.equal(Event_Type.SUBSCRIBED);
  });

  it("redirects nobody to itself while its predecessor at the same address counts as the leader", () => {
    const { master, election } = make();
    election.tell({
      ...masterInfo({ ip: "10.0.0.1", port: 5050, hostname: "m", domain: undefined }),
      id: "before",
    });
    expect(master.leadership()).to.deep.equal({ role: "standby", leader: undefined });
    const other = {
      ...masterInfo({ ip: "10.0.0.1", port: 5051, hostname: "m", domain: undefined }),
      id: "o",
    };
    election.tell(other);
    expect(master.leadership()).to.deep.equal({ role: "standby", leader: other });
  });

  it("drops everything when it loses the leadership, and gives no id twice when it wins it again", async () => {
    const { master, election, registry, transport, allocator, metrics } = make();
    election.candidates[0]!.elected();
    await clock.advance(0);
    registry.answer();
    await clock.advance(0);
    const stream = subscribe(master);
    const [framework] = master.view.frameworks();
    expect(framework?.id).to.equal(`${master.id}-0000`);

    election.candidates[0]!.lost("session expired");
    expect(stream.closed).to.equal(true);
    expect(master.leadership().role).to.equal("standby");
    expect([...master.view.frameworks()]).to.deep.equal([]);
    expect(allocator.frameworks.size).to.equal(0);
    expect(transport.actors).to.deep.equal([]);
    expect(metrics.snapshot().get("master/elected")).to.equal(0);

    election.candidates[1]!.elected();
    await clock.advance(0);
    registry.answer();
    await clock.advance(0);
    expect(subscribe(master).events[0]?.subscribed?.framework_id?.value).to.equal(`${master.id}-0001`);
  });

  const domain = (region: string, zone: string): DomainInfo => ({
    fault_domain: { region: { name: region }, zone: { name: zone } },
  });

  it("publishes its domain, and stands by for masters in its region or without one", async () => {
    const { master, election, failures, logger } = make(domain("eu", "eu-1"));
    expect(master.view.info.domain).to.deep.equal(domain("eu", "eu-1"));
    election.tell({ id: "other", capabilities: [], domain: domain("eu", "eu-2") });
    election.tell({ id: "third", capabilities: [] });
    await clock.advance(0);
    expect(logger.messages("error")).to.deep.equal([]);
    expect(failures).to.deep.equal([]);
  });

  it("does not stand by for a master of another region, and reports the failure", async () => {
    const { election, failures, logger } = make(domain("eu", "eu-1"));
    election.tell({
      id: "other",
      pid: "master@10.0.0.9:5050",
      capabilities: [],
      domain: domain("us", "us-1"),
    });
    await clock.advance(0);
    expect(logger.messages("error")).to.deep.equal(["Cannot stand by for the leader"]);
    expect(failures).to.deep.equal(["failed"]);
  });

  it("does not act on a registry that answers after the leadership was lost", async () => {
    const { master, election, registry, transport } = make();
    election.candidates[0]!.elected();
    await clock.advance(0);
    election.candidates[0]!.lost("session expired");
    registry.answer();
    await clock.advance(0);
    expect(master.leadership().role).to.equal("standby");
    expect(transport.actors).to.deep.equal([]);
  });

  it("sends and receives nothing once its lease has run out, even before it is told", async () => {
    const { master, election, registry, transport } = make();
    let holds = true;
    election.candidates[0]!.elected({ holds: () => holds });
    await clock.advance(0);
    registry.answer();
    await clock.advance(0);
    const sent: string[] = [];
    transport.sent = (_to, { name }) => sent.push(name.replace("mesos.internal.", ""));
    const stream = subscribe(master);
    register(transport, "slave(1)@10.0.0.2:5051");
    await clock.advance(20_000);
    const heard = stream.events.map(({ type }) => type);
    expect(heard).to.include(Event_Type.HEARTBEAT);
    expect(sent).to.include.members(["SlaveRegisteredMessage", "PingSlaveMessage"]);

    // It was stopped, and goes on: timers are due and messages wait, but the word that it was deposed has not come yet.
    holds = false;
    sent.length = 0;
    register(transport, "slave(1)@10.0.0.3:5051");
    await clock.advance(20_000);
    expect(sent).to.deep.equal([]);
    expect(stream.events).to.have.length(heard.length);
    expect([...master.view.agents()].map(({ pid }) => pid)).to.deep.equal(["slave(1)@10.0.0.2:5051"]);
  });

  it("does not fence off its successor when it is deposed while reading the registry", async () => {
    const { election, registry } = make();
    let holds = true;
    election.candidates[0]!.elected({ holds: () => holds });
    await clock.advance(0);
    expect(registry.tenure?.holds()).to.equal(true);
    holds = false;
    expect(registry.tenure?.holds()).to.equal(false);
    holds = true;
    election.candidates[0]!.lost("session expired");
    expect(registry.tenure?.holds()).to.equal(false);
  });

  it("drops messages queued for agents when it loses the leadership", async () => {
    const { election, registry, transport } = make();
    election.candidates[0]!.elected();
    await clock.advance(0);
    registry.answer();
    await clock.advance(0);
    expect(transport.resets).to.equal(0);
    election.candidates[0]!.lost("session expired");
    expect(transport.resets).to.equal(1);
  });

  it("steps down when the registry cannot be read, and reports the failure", async () => {
    const { master, election, registry, logger, failures } = make();
    election.candidates[0]!.elected();
    await clock.advance(0);
    registry.answer(new Error("disk on fire"));
    await clock.advance(0);
    expect(master.leadership().role).to.equal("standby");
    expect(logger.messages("error")).to.include("Cannot lead without the registry");
    expect(failures).to.deep.equal(["failed"]);
  });

  it("says what to do about an unavailable registry", async () => {
    const { election, registry, logger } = make();
    election.candidates[0]!.elected();
    await clock.advance(0);
    const error = new TepuiError("TEPUI_REGISTRY_WRITE_FAILED", { detail: "no space" });
    registry.answer(error);
    await clock.advance(0);
    const line = logger.lines.find(({ message }) => message === "Cannot lead without the registry");
    expect(line?.fields).to.deep.equal({ err: error, advice: error.hint });
  });

  it("does not lead with a registry that requires capabilities it lacks", async () => {
    const { master, election, registry, logger, failures, allocator } = make();
    registry.needed = ["AGENT_DRAINING", "QUOTA_V2", "FROM_THE_FUTURE"];
    election.candidates[0]!.elected();
    await clock.advance(0);
    registry.answer();
    await clock.advance(0);
    expect(master.leadership().role).to.equal("standby");
    expect(failures).to.deep.equal(["failed"]);
    const problem = logger.lines.find(({ level }) => level === "error")?.fields?.err;
    expect(isTepuiError(problem) && problem.message).to.equal(
      "The registry needs capabilities that this master lacks: FROM_THE_FUTURE",
    );
    expect(allocator.frameworks.size).to.equal(0);
  });

  it("steps down when the registry cannot be written, and reports the failure", async () => {
    const { master, election, registry, transport, logger, failures } = make();
    election.candidates[0]!.elected();
    await clock.advance(0);
    registry.answer();
    await clock.advance(0);
    expect(master.leadership().role).to.equal("leading");
    registry.broken = true;
    register(transport, "slave(1)@10.0.0.2:5051");
    await clock.advance(0);
    expect(master.leadership().role).to.equal("standby");
    expect(logger.messages("error")).to.include("The registry cannot be written");
    expect(failures).to.deep.equal(["failed"]);
  });
});
