import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { GrpcServer } from "../../plugins/scheduler-grpc/server.js";
import { type Call, Call_Type, Event, Event_Type } from "../../proto/gen/mesos/v1/executor/executor.js";
import { TaskState } from "../../proto/gen/mesos/v1/mesos.js";
import { wire } from "../../proto/json/index.js";
import type { PartialMessage } from "../../sdk/client/partial.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import { SystemClock } from "../../sdk/contracts/system-clock.js";
import type { PluginContext, PluginDefinition } from "../../sdk/plugin/index.js";
import { MemoryLogger } from "../../sdk/testing/memory-logger.js";
import { SeededRandom } from "../../sdk/testing/seeded-random.js";
import { FakeSchedulerService } from "../sdk/scheduler/fake-service.js";
import { checkFrameworkExample, exampleFile, startExample } from "./run-example.js";

/** An agent as far as one executor can tell. */
class FakeAgent {
  readonly calls: Call[] = [];
  private stream: ServerResponse | undefined;
  private readonly waiting: { matches: (call: Call) => boolean; resolve: (call: Call) => void }[] = [];
  private readonly server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => this.received(request, response, Buffer.concat(chunks)));
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  send(event: PartialMessage<Event>): void {
    const bytes = wire("mesos.v1.executor.Event").encode(Event.fromPartial(event as Event));
    this.stream?.write(Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes]));
  }

  /** Resolves with the first call, past or future, that fits. */
  call(matches: (call: Call) => boolean): Promise<Call> {
    const past = this.calls.find(matches);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve) => this.waiting.push({ matches, resolve }));
  }

  private received(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const call = wire("mesos.v1.executor.Call").decode(body);
    this.calls.push(call);
    if (call.type === Call_Type.SUBSCRIBE) {
      this.stream = response;
      response.writeHead(200, { "content-type": request.headers["content-type"] });
      this.send({
        type: Event_Type.SUBSCRIBED,
        subscribed: {
          executor_info: { executor_id: call.executor_id!, resources: [] },
          framework_info: { user: "u", name: "n" },
          agent_info: { hostname: "h" },
        },
      });
    } else response.writeHead(202).end();
    const status = call.update?.status;
    if (status !== undefined)
      this.send({
        type: Event_Type.ACKNOWLEDGED,
        acknowledged: { task_id: status.task_id!, uuid: status.uuid! },
      });
    for (const { matches, resolve } of this.waiting) if (matches(call)) resolve(call);
  }
}

describe("examples", () => {
  it("the framework runs its tasks over gRPC", async () => {
    const server = new GrpcServer(
      {
        ip: "127.0.0.1",
        port: 0,
        maxMessageBytes: 1e6,
        maxBufferedBytes: 1e6,
        maxSessions: 10,
        stopGrace: 1000,
      },
      {
        service: new FakeSchedulerService(),
        clock: new SystemClock(),
        random: new SeededRandom(1),
        logger: new MemoryLogger(),
      },
    );
    await server.start();
    try {
      await checkFrameworkExample(`127.0.0.1:${server.port}`);
    } finally {
      await server.stop();
    }
  });

  it("the isolator puts nice before the command", async () => {
    const { default: plugin } = (await import(exampleFile("isolator/niceness.js"))) as {
      default: PluginDefinition;
    };
    expect(plugin.config?.safeParse({ niceness: 20 }).success).to.equal(false);
    let isolator: Isolator | undefined;
    const context = {
      config: plugin.config?.parse({ niceness: 7 }),
      bind: (_point: unknown, implementation: Isolator) => {
        isolator = implementation;
      },
    };
    plugin.setup(context as unknown as PluginContext, {});
    expect(await isolator?.prepare?.({} as ContainerRequest)).to.deep.equal({ wrap: ["nice", "-n", "7"] });
  });

  describe("the executor", () => {
    let agent: FakeAgent;
    let run: ReturnType<typeof startExample>;

    const update = (taskId: string, state: TaskState): Promise<Call> =>
      agent.call(
        (call) => call.update?.status?.task_id?.value === taskId && call.update.status.state === state,
      );

    const launch = (taskId: string, wait: string): void =>
      agent.send({
        type: Event_Type.LAUNCH,
        launch: {
          task: {
            name: taskId,
            task_id: { value: taskId },
            agent_id: { value: "a" },
            data: Buffer.from(wait),
          },
        },
      });

    beforeEach(async () => {
      agent = new FakeAgent();
      run = startExample("executor/executor.js", {
        env: {
          MESOS_AGENT_ENDPOINT: await agent.start(),
          MESOS_FRAMEWORK_ID: "fw",
          MESOS_EXECUTOR_ID: "waiter",
          MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: "5secs",
        },
      });
      await run.prints("executor waiter is ready");
    });

    afterEach(async () => {
      agent.stop();
      run.process.kill("SIGKILL");
      await run.ended;
    });

    it("runs many tasks in one process, and ends when told to", async () => {
      launch("short", "1");
      launch("long", "1000000");
      await update("short", TaskState.TASK_FINISHED);
      const running = await update("long", TaskState.TASK_RUNNING);
      expect(running.executor_id?.value).to.equal("waiter");
      agent.send({ type: Event_Type.KILL, kill: { task_id: { value: "long" } } });
      await update("long", TaskState.TASK_KILLED);
      launch("last", "1000000");
      await update("last", TaskState.TASK_RUNNING);
      agent.send({ type: Event_Type.SHUTDOWN });
      await update("last", TaskState.TASK_KILLED);
      expect(await run.ended).to.equal(0);
    });

    it("answers messages", async () => {
      const data = Buffer.from(randomUUID());
      agent.send({ type: Event_Type.MESSAGE, message: { data } });
      const answer = await agent.call((call) => call.type === Call_Type.MESSAGE);
      expect(answer.message?.data?.equals(data)).to.equal(true);
    });
  });
});
