import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { expect } from "chai";
import { GrpcServer, type GrpcServerOptions } from "../../../plugins/scheduler-grpc/server.js";
import {
  HealthClient,
  HealthCheckResponse_ServingStatus as Serving,
} from "../../../proto/gen/grpc/health/v1/health.js";
import {
  ServerReflectionClient,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from "../../../proto/gen/grpc/reflection/v1/reflection.js";
import { ServerReflectionClient as AlphaReflectionClient } from "../../../proto/gen/grpc/reflection/v1alpha/reflection.js";
import { Call, Call_Type, Event, Event_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { SchedulerClient, type SchedulerClientOptions } from "../../../sdk/scheduler/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { runScenario, SCENARIO_FRAMEWORK, schedulerScenarios } from "../../scenarios/scheduler-scenario.js";
import { FakeSchedulerService } from "../../sdk/scheduler/fake-service.js";
import { HttpEdge } from "../../sdk/scheduler/http-edge.js";

type RawStream = ClientDuplexStream<Buffer, Buffer>;

const asIs = (bytes: Buffer): Buffer => bytes;
const SUBSCRIBE = "/tepui.v1.Scheduler/Subscribe";
const CALL = "/tepui.v1.Scheduler/Call";

const subscribeCall = (): Buffer =>
  Buffer.from(
    Call.encode(
      Call.fromPartial({
        type: Call_Type.SUBSCRIBE,
        subscribe: { framework_info: { user: "u", name: "n" } },
      }),
    ).finish(),
  );

const failureOf = (stream: RawStream): Promise<ServiceError> =>
  new Promise((resolve) => stream.once("error", (error: ServiceError) => resolve(error)));

describe("scheduler API over gRPC", () => {
  let service: FakeSchedulerService;
  let server: GrpcServer;
  let logger: MemoryLogger;
  let master: string;
  const cleanups: (() => unknown)[] = [];

  const start = async (options: Partial<GrpcServerOptions> = {}): Promise<void> => {
    service = new FakeSchedulerService();
    logger = new MemoryLogger();
    server = new GrpcServer(
      {
        ip: "127.0.0.1",
        port: 0,
        maxMessageBytes: 1024 * 1024,
        maxBufferedBytes: 1024 * 1024,
        maxSessions: 10,
        stopGrace: 1000,
        ...options,
      },
      { service, clock: new SystemClock(), random: new SeededRandom(5), logger },
    );
    await server.start();
    master = `127.0.0.1:${server.port}`;
  };

  const make = (options: Partial<SchedulerClientOptions> = {}): SchedulerClient => {
    const client = new SchedulerClient({
      master,
      transport: "grpc",
      framework: SCENARIO_FRAMEWORK,
      ...options,
    });
    cleanups.push(() => client.close());
    return client;
  };

  const raw = (): Client => {
    const client = new Client(master, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
    cleanups.push(() => client.close());
    return client;
  };

  const openStream = (): RawStream => raw().makeBidiStreamRequest(SUBSCRIBE, asIs, asIs);

  const unary = (body: Buffer, metadata = new Metadata()): Promise<ServiceError | null> =>
    new Promise((resolve) =>
      raw().makeUnaryRequest(CALL, asIs, asIs, body, metadata, (error) => resolve(error)),
    );

  beforeEach(() => start());

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
    await server.stop();
    expect(logger.messages("error")).to.deep.equal([]);
  });

  for (const scenario of schedulerScenarios()) {
    it(`plays the scenario '${scenario.name}' as HTTP does`, async () => {
      const edge = new HttpEdge(service);
      const overHttp = await runScenario(make({ transport: "http", master: await edge.start() }), scenario);
      const overGrpc = await runScenario(make(), scenario);
      await edge.stop();
      expect(overGrpc).to.deep.equal(overHttp);
    });
  }

  it("gives the stream id in the initial metadata, and takes unary calls that carry it", async () => {
    const stream = openStream();
    const initial = new Promise<Metadata>((resolve) => stream.on("metadata", resolve));
    stream.on("error", () => undefined);
    stream.resume();
    stream.write(subscribeCall());
    const streamId = String((await initial).get("mesos-stream-id")[0]);
    expect(streamId).to.match(/^[0-9a-f-]{36}$/);
    const suppress = Call.fromPartial({ type: Call_Type.SUPPRESS, framework_id: { value: "fw-0" } });
    const body = Buffer.from(Call.encode(suppress).finish());
    const metadata = new Metadata();
    metadata.set("mesos-stream-id", streamId);
    expect(await unary(body, metadata)).to.equal(null);
    expect(service.calls.at(-1)?.type).to.equal(Call_Type.SUPPRESS);
    metadata.set("mesos-stream-id", "2a9d1ed7-6cd7-4c4f-9f36-6d3e3a2f3f10");
    expect((await unary(body, metadata))?.code).to.equal(status.INVALID_ARGUMENT);
    stream.cancel();
  });

  it("disconnects the framework when the client ends or cancels its stream", async () => {
    for (const leave of ["end", "cancel"] as const) {
      const stream = openStream();
      stream.on("error", () => undefined);
      const first = new Promise((resolve) => stream.once("data", resolve));
      stream.write(subscribeCall());
      await first;
      const framework = [...service.frameworks.values()].at(-1)!;
      expect(framework.subscription).to.not.equal(undefined);
      const gone = new Promise((resolve) => stream.once("status", resolve));
      stream.resume();
      stream[leave]();
      await gone;
      while (framework.subscription !== undefined) await new Promise((resolve) => setImmediate(resolve));
    }
  });

  describe("refuses", () => {
    const first = async (body: Buffer): Promise<ServiceError> => {
      const stream = openStream();
      stream.write(body);
      stream.resume();
      return failureOf(stream);
    };

    it("bytes that are no call", async () => {
      for (const bytes of [Buffer.from([0xff, 0xff, 0xff]), Buffer.from("hello")]) {
        const error = await first(bytes);
        expect(error.code, error.message).to.equal(status.INVALID_ARGUMENT);
        expect(error.details).to.contain("mesos.v1.scheduler.Call");
      }
    });

    it("calls that lack required fields, with their paths", async () => {
      const call = Call.fromPartial({
        type: Call_Type.SUBSCRIBE,
        subscribe: { framework_info: { name: "n" } },
      });
      const error = await first(Buffer.from(Call.encode(call).finish()));
      expect(error.code).to.equal(status.INVALID_ARGUMENT);
      expect(error.details).to.contain("subscribe.framework_info.user");
      const kill = Call.fromPartial({ type: Call_Type.KILL, framework_id: { value: "fw-0" }, kill: {} });
      const unaryError = await unary(Buffer.from(Call.encode(kill).finish()));
      expect(unaryError?.code).to.equal(status.INVALID_ARGUMENT);
      expect(unaryError?.details).to.contain("kill.task_id");
    });

    it("a stream that does not begin with SUBSCRIBE, and one that subscribes twice", async () => {
      const suppress = Call.fromPartial({ type: Call_Type.SUPPRESS, framework_id: { value: "x" } });
      expect((await first(Buffer.from(Call.encode(suppress).finish()))).code).to.equal(
        status.INVALID_ARGUMENT,
      );
      const stream = openStream();
      stream.resume();
      stream.write(subscribeCall());
      stream.write(subscribeCall());
      expect((await failureOf(stream)).details).to.contain("already");
    });

    it("a SUBSCRIBE outside a stream", async () => {
      expect((await unary(subscribeCall()))?.details).to.contain("Subscribe stream");
    });

    it("messages over the limit", async () => {
      const error = await unary(Buffer.alloc(2 * 1024 * 1024));
      expect(error?.code).to.equal(status.RESOURCE_EXHAUSTED);
    });

    it("what the service refuses, by its kind", async () => {
      const suppress = Call.fromPartial({ type: Call_Type.SUPPRESS, framework_id: { value: "stranger" } });
      const error = await unary(Buffer.from(Call.encode(suppress).finish()));
      expect(error?.code).to.equal(status.INVALID_ARGUMENT);
      expect(error?.details).to.contain("Framework cannot be found");
      await make().start();
      service.frameworks.get("fw-0")!.subscription = undefined;
      const own = Call.fromPartial({ type: Call_Type.SUPPRESS, framework_id: { value: "fw-0" } });
      expect((await unary(Buffer.from(Call.encode(own).finish())))?.code).to.equal(status.PERMISSION_DENIED);
    });

    it("more sessions than allowed", async () => {
      await server.stop();
      await start({ maxSessions: 1 });
      await make().start();
      expect((await first(subscribeCall())).code).to.equal(status.UNAVAILABLE);
    });
  });

  describe("without leadership", () => {
    it("names the leader and its gRPC port, which clients follow", async () => {
      const leader = service;
      const leaderServer = server;
      const { port } = server;
      // A cluster's masters share the gRPC port; here, as on one host, they cannot.
      await start();
      service.standby({ hostname: "127.0.0.1", port: 5050 });
      const refused = await unary(subscribeCall());
      expect(refused?.code).to.equal(status.FAILED_PRECONDITION);
      expect(refused?.metadata.get("tepui-leader")).to.deep.equal(["127.0.0.1:5050"]);
      expect(refused?.metadata.get("tepui-leader-grpc")).to.deep.equal([]);
      Object.assign((server as unknown as { options: GrpcServerOptions }).options, { port });
      await make().start();
      expect(leader.calls).to.have.length(1);
      expect(service.calls).to.have.length(0);
      cleanups.push(() => leaderServer.stop());
    });

    it("is unavailable while nobody leads or the leader recovers", async () => {
      service.standby(undefined);
      expect((await unary(subscribeCall()))?.code).to.equal(status.UNAVAILABLE);
      service.leads = { role: "recovering", leader: undefined };
      expect((await unary(subscribeCall()))?.code).to.equal(status.UNAVAILABLE);
    });
  });

  describe("a subscriber that does not read", () => {
    it("is cut off at the limit, and its session ends", async () => {
      const stream = openStream();
      const first = new Promise((resolve) => stream.once("data", resolve));
      stream.write(subscribeCall());
      await first;
      stream.pause();
      const data = Buffer.alloc(100_000);
      const message = { agent_id: { value: "a" }, executor_id: { value: "e" }, data };
      let sent = 0;
      while (service.send("fw-0", { type: Event_Type.MESSAGE, message })) {
        sent++;
        expect(sent).to.be.lessThan(1000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(service.frameworks.get("fw-0")!.subscription).to.equal(undefined);
      const failed = failureOf(stream);
      stream.resume();
      expect((await failed).code).to.equal(status.ABORTED);
    });

    it("may be given one event that is larger than the limit", async () => {
      const client = make();
      await client.start();
      const got = new Promise((resolve) => client.on("message", resolve));
      const message = {
        agent_id: { value: "a" },
        executor_id: { value: "e" },
        data: Buffer.alloc(5_000_000),
      };
      expect(service.send("fw-0", { type: Event_Type.MESSAGE, message })).to.equal(true);
      await got;
    });
  });

  it("sends what was queued before it closes a stream", async () => {
    const stream = openStream();
    const events: Event[] = [];
    stream.on("data", (bytes: Buffer) => events.push(Event.decode(bytes)));
    const ended = new Promise((resolve) => stream.once("end", resolve));
    const subscribed = new Promise((resolve) => stream.once("data", resolve));
    stream.write(subscribeCall());
    await subscribed;
    for (let i = 0; i < 5; i++) service.send("fw-0", { type: Event_Type.HEARTBEAT });
    service.send("fw-0", { type: Event_Type.ERROR, error: { message: "Framework failed over" } });
    service.disconnectAll();
    await ended;
    expect(events.at(-1)?.error?.message).to.equal("Framework failed over");
  });

  it("ends streams with UNAVAILABLE when it stops, and lets no new ones in", async () => {
    const stream = openStream();
    const failed = failureOf(stream);
    const first = new Promise((resolve) => stream.once("data", resolve));
    stream.write(subscribeCall());
    await first;
    stream.resume();
    await server.stop();
    expect((await failed).code).to.equal(status.UNAVAILABLE);
  });

  it("gets its clients back, with their ids, when it has been away", async () => {
    const client = make({ backoff: { initial: 5, max: 5 } });
    await client.start();
    const { port } = server;
    const lost = new Promise((resolve) => client.on("disconnected", resolve));
    const back = new Promise((resolve) => client.on("subscribed", resolve));
    await server.stop();
    await lost;
    await start({ port });
    await back;
    expect(service.calls[0]?.framework_id?.value).to.equal("fw-0");
  });

  it("withstands bytes of any kind", async () => {
    const random = new SeededRandom(11);
    const valid = subscribeCall();
    const client = raw();
    const codes = new Set<number | undefined>();
    for (let round = 0; round < 60; round++) {
      const bodies = Array.from({ length: 20 }, () => {
        const bytes = Buffer.from(random.bytes(Math.floor(random.next() * 200)));
        if (random.next() < 0.5) return bytes;
        // Most of a call that is right, and something in it that is not.
        const body = Buffer.from(valid);
        body[Math.floor(random.next() * body.length)] = Math.floor(random.next() * 256);
        return body;
      });
      await Promise.all(
        bodies.map(
          (body, index) =>
            new Promise<void>((resolve) => {
              if (index % 2 === 0) {
                client.makeUnaryRequest(CALL, asIs, asIs, body, (error) => {
                  codes.add(error?.code);
                  resolve();
                });
                return;
              }
              const stream: RawStream = client.makeBidiStreamRequest(SUBSCRIBE, asIs, asIs);
              stream.on("error", () => undefined);
              stream.on("status", ({ code }: { code: number }) => {
                codes.add(code);
                resolve();
              });
              stream.resume();
              stream.end(body);
            }),
        ),
      );
    }
    expect(codes).to.include(status.INVALID_ARGUMENT).and.not.include(status.INTERNAL);
    await runScenario(make(), schedulerScenarios()[0]!);
  }).timeout(60_000);

  it("says which port is taken", async () => {
    const second = new GrpcServer(
      { ...(server as unknown as { options: GrpcServerOptions }).options, port: server.port },
      { service, clock: new SystemClock(), random: new SeededRandom(5), logger },
    );
    const error = await second.start().catch((reason: unknown) => reason);
    expect(error).to.have.property("code", "TEPUI_LISTEN_FAILED");
    expect((error as Error).message).to.contain(String(server.port));
    await second.stop();
  });

  describe("health", () => {
    const health = (): HealthClient => {
      const client = new HealthClient(master, credentials.createInsecure());
      cleanups.push(() => client.close());
      return client;
    };

    const check = (name: string): Promise<Serving | number> =>
      new Promise((resolve) => {
        health().check({ service: name }, (error, answer) =>
          resolve(error === null ? answer.status! : -error.code),
        );
      });

    it("follows the leadership for the scheduler API", async () => {
      expect(await check("")).to.equal(Serving.SERVING);
      expect(await check("tepui.v1.Scheduler")).to.equal(Serving.SERVING);
      expect(await check("nothing")).to.equal(-status.NOT_FOUND);
      service.standby(undefined);
      expect(await check("")).to.equal(Serving.SERVING);
      expect(await check("tepui.v1.Scheduler")).to.equal(Serving.NOT_SERVING);
    });

    it("tells watchers of changes", async () => {
      const watch = health().watch({ service: "tepui.v1.Scheduler" });
      watch.on("error", () => undefined);
      const states: Serving[] = [];
      const seen = new Promise<void>((resolve) =>
        watch.on("data", ({ status: state }: { status: Serving }) => {
          states.push(state);
          if (states.length === 1) service.standby(undefined);
          if (states.length === 2) resolve();
        }),
      );
      await seen;
      expect(states).to.deep.equal([Serving.SERVING, Serving.NOT_SERVING]);
      watch.cancel();
    });
  });

  describe("reflection", () => {
    const ask = (
      request: ServerReflectionRequest,
      client: ServerReflectionClient = new ServerReflectionClient(master, credentials.createInsecure()),
    ): Promise<ServerReflectionResponse> => {
      cleanups.push(() => client.close());
      return new Promise((resolve, reject) => {
        const stream = client.serverReflectionInfo();
        stream.on("error", reject);
        stream.on("data", resolve);
        stream.write(request);
        stream.end();
      });
    };

    it("lists the services, also to clients of v1alpha", async () => {
      const expected = [
        "tepui.v1.Scheduler",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
      ];
      const names = ({ list_services_response: list }: ServerReflectionResponse) =>
        list?.service.map(({ name }) => name);
      expect(names(await ask({ list_services: "" }))).to.deep.equal(expected);
      const alpha = new AlphaReflectionClient(master, credentials.createInsecure());
      expect(names(await ask({ list_services: "" }, alpha))).to.deep.equal(expected);
    });

    it("gives the file of a symbol with all that it imports", async () => {
      for (const symbol of ["tepui.v1.Scheduler", "tepui.v1.Scheduler.Subscribe", "tepui.v1.CallResponse"]) {
        const { file_descriptor_response: files } = await ask({ file_containing_symbol: symbol });
        const names = files!.file_descriptor_proto.map(
          (file) => fromBinary(FileDescriptorProtoSchema, file).name,
        );
        expect(names[0]).to.equal("tepui/v1/scheduler.proto");
        expect(names).to.include.members(["mesos/v1/scheduler/scheduler.proto", "mesos/v1/mesos.proto"]);
      }
      const byName = await ask({ file_by_filename: "mesos/v1/mesos.proto" });
      expect(byName.file_descriptor_response?.file_descriptor_proto).to.have.length(1);
      const nested = await ask({ file_containing_symbol: "mesos.v1.Offer.Operation.Launch" });
      expect(nested.file_descriptor_response).to.not.equal(undefined);
    });

    it("says what it does not have", async () => {
      for (const request of [
        { file_containing_symbol: "no.such.Thing" },
        { file_by_filename: "no/such.proto" },
        { file_containing_extension: { containing_type: "mesos.v1.Offer", extension_number: 1 } },
        { all_extension_numbers_of_type: "no.such.Thing" },
      ]) {
        expect((await ask(request)).error_response?.error_code, JSON.stringify(request)).to.equal(
          status.NOT_FOUND,
        );
      }
      const none = await ask({ all_extension_numbers_of_type: "mesos.v1.Offer" });
      expect(none.all_extension_numbers_response?.extension_number).to.deep.equal([]);
    });
  });
});
