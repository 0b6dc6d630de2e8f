import { type MasterConfig, masterConfig, optionsOf } from "../../../../core/master/config.js";
import { Master } from "../../../../core/master/master.js";
import { masterInfo } from "../../../../core/master/master-info.js";
import { MemoryRegistry } from "../../../../plugins/memory-registry/memory-registry.js";
import { StandaloneElection } from "../../../../plugins/standalone-election/standalone-election.js";
import { Call as CallCodec } from "../../../../proto/gen/json/mesos/v1/scheduler/scheduler.js";
import type { Event } from "../../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { MetricsRegistry } from "../../../../sdk/contracts/metrics-registry.js";
import type { SchedulerConnection, SchedulerSession } from "../../../../sdk/contracts/scheduler-service.js";
import { RegistryMetrics } from "../../../../sdk/registry/index.js";
import { MemoryLogger } from "../../../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../../../sdk/testing/seeded-random.js";
import { VirtualClock } from "../../../../sdk/testing/virtual-clock.js";
import { FakeTransport } from "./fake-transport.js";
import { ManualAllocator } from "./manual-allocator.js";

/** A scheduler's end of a stream. */
export class TestStream implements SchedulerConnection {
  readonly events: Event[] = [];
  closed = false;
  session: SchedulerSession | undefined;

  constructor(
    readonly streamId: string,
    private readonly received: (event: Event | "closed") => void = () => {},
  ) {}

  send(event: Event): boolean {
    this.events.push(event);
    this.received(event);
    return true;
  }

  close(): void {
    this.closed = true;
    this.received("closed");
  }
}

export interface HarnessOptions {
  /** The master's flags. */
  readonly flags?: Readonly<Record<string, unknown>>;
}

/** A master on virtual time with peers that a test plays. The registry outlives a restart of the master. */
export class MasterHarness {
  readonly clock = new VirtualClock();
  readonly random = new SeededRandom(7);
  readonly logger = new MemoryLogger();
  readonly transport = new FakeTransport();
  metrics = new MetricsRegistry(this.clock);
  allocator = new ManualAllocator();
  readonly registry = new MemoryRegistry(new RegistryMetrics(new MetricsRegistry(this.clock)));
  master: Master;
  private readonly config: MasterConfig;
  private streams = 0;

  constructor({ flags = {} }: HarnessOptions = {}) {
    this.config = masterConfig.parse(flags);
    this.master = this.make();
  }

  private make(): Master {
    const { config } = this;
    return new Master({
      options: optionsOf(config),
      clusterName: config.cluster,
      flags: new Map(),
      clock: this.clock,
      random: this.random,
      metrics: this.metrics,
      logger: this.logger,
      allocator: this.allocator,
      registry: this.registry,
      election: new StandaloneElection(),
      transport: this.transport,
    });
  }

  /** Starts the master and waits until it leads. */
  async start(): Promise<this> {
    const { domain } = this.config;
    this.master.start(masterInfo({ ip: "10.0.0.100", port: 5050, hostname: "master", domain }));
    await this.settle();
    return this;
  }

  /** Another master, with another id, takes over what the registry knows. */
  async restart(): Promise<void> {
    const { told } = this.allocator;
    this.allocator.told = () => {};
    await this.master.stop();
    this.metrics = new MetricsRegistry(this.clock);
    this.allocator = new ManualAllocator();
    this.allocator.told = told;
    this.master = this.make();
    await this.start();
  }

  /** Lets everything that is under way at this instant come to rest. */
  async settle(): Promise<void> {
    await this.clock.advance(0);
  }

  /** @param json a scheduler Call in Mesos's JSON */
  subscribe(json: string, received?: (event: Event | "closed") => void): TestStream {
    const call = CallCodec.json.read(json);
    this.master.validate(call);
    const stream = new TestStream(`stream-${++this.streams}`, received);
    stream.session = this.master.subscribe({
      call,
      principal: undefined,
      connection: stream,
      streamId: stream.streamId,
    });
    return stream;
  }

  /** @param json a scheduler Call in Mesos's JSON */
  call(json: string, streamId: string | undefined): void | Promise<void> {
    const call = CallCodec.json.read(json);
    this.master.validate(call);
    return this.master.call({ call, principal: undefined, streamId });
  }
}
