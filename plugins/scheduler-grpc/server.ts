import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { HealthService } from "../../proto/gen/grpc/health/v1/health.js";
import { ServerReflectionService } from "../../proto/gen/grpc/reflection/v1/reflection.js";
import { ServerReflectionService as ServerReflectionAlphaService } from "../../proto/gen/grpc/reflection/v1alpha/reflection.js";
import * as codecs from "../../proto/gen/json/mesos/v1/scheduler/scheduler.js";
import { Call_Type } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import type { Random } from "../../sdk/contracts/random.js";
import type { SchedulerService } from "../../sdk/contracts/scheduler-service.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import { rawSchedulerService, SCHEDULER_SERVICE_NAME } from "./definition.js";
import { HealthServices } from "./health.js";
import { Reflection } from "./reflection.js";
import { type CallStream, GrpcSession } from "./session.js";
import { clientStatus, notLeading, statusError } from "./status.js";

export interface GrpcServerOptions {
  readonly ip: string;
  readonly port: number;
  /** Of one call. */
  readonly maxMessageBytes: number;
  readonly maxBufferedBytes: number;
  readonly maxSessions: number;
  /** Milliseconds that streams get to end by themselves. */
  readonly stopGrace: number;
}

export interface GrpcServerParts {
  readonly service: SchedulerService;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const calls = codecs.Call;
const EMPTY = Buffer.alloc(0);

/** The gRPC port of a master: scheduler API, health, reflection. */
export class GrpcServer {
  private readonly server: Server;
  private readonly sessions = new Set<GrpcSession>();
  private readonly health: HealthServices;
  private stopping = false;
  private bound = 0;

  constructor(
    private readonly options: GrpcServerOptions,
    private readonly parts: GrpcServerParts,
  ) {
    this.server = new Server({
      "grpc.max_receive_message_length": options.maxMessageBytes,
      // Finds peers that vanished without a word; a subscriber may otherwise be silent for as long as it likes.
      "grpc.keepalive_time_ms": 60_000,
      "grpc.keepalive_timeout_ms": 20_000,
    });
    this.health = new HealthServices(
      new Map([
        ["", () => !this.stopping],
        [SCHEDULER_SERVICE_NAME, () => !this.stopping && parts.service.leadership().role === "leading"],
      ]),
      parts.clock,
    );
    const reflection = new Reflection(
      [
        SCHEDULER_SERVICE_NAME,
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
      ],
      loadDescriptors,
    );
    const serverReflectionInfo = reflection.serve.bind(reflection);
    this.server.addService(rawSchedulerService, {
      subscribe: (stream: CallStream) => this.subscribe(stream),
      call: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) =>
        void this.call(call, answer),
    });
    this.server.addService(HealthService, this.health.server);
    this.server.addService(ServerReflectionService, { serverReflectionInfo });
    this.server.addService(ServerReflectionAlphaService, { serverReflectionInfo });
  }

  /** Valid once started. */
  get port(): number {
    return this.bound;
  }

  /** @throws TepuiError TEPUI_LISTEN_FAILED */
  start(): Promise<void> {
    const { ip, port } = this.options;
    const address = `${ip.includes(":") ? `[${ip}]` : ip}:${port}`;
    return new Promise((resolve, reject) => {
      this.server.bindAsync(address, ServerCredentials.createInsecure(), (error, actual) => {
        if (error !== null) {
          reject(
            new TepuiError("TEPUI_LISTEN_FAILED", { detail: `gRPC on ${address}: ${bindProblem(error)}` }),
          );
          return;
        }
        this.bound = actual;
        this.parts.logger.info({ ip, port: actual }, "serving the scheduler API over gRPC");
        resolve();
      });
    });
  }

  /** Ends every stream with UNAVAILABLE, so that clients look for another master, and closes the port. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.health.stop();
    for (const session of [...this.sessions])
      session.fail(statusError(status.UNAVAILABLE, "this master is shutting down"));
    await new Promise<void>((resolve) => {
      const timer = this.parts.clock.setTimeout(() => {
        this.server.forceShutdown();
        resolve();
      }, this.options.stopGrace);
      this.server.tryShutdown(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  private subscribe(stream: CallStream): void {
    if (this.sessions.size >= this.options.maxSessions) {
      stream.emit("error", statusError(status.UNAVAILABLE, "too many schedulers are subscribed over gRPC"));
      return;
    }
    const session = new GrpcSession(stream, {
      service: this.parts.service,
      streamId: this.parts.random.uuid(),
      maxBufferedBytes: this.options.maxBufferedBytes,
      refusal: () => this.refusal(),
      statusOf: (error) => this.statusOf(error),
      ended: (ended) => this.sessions.delete(ended),
    });
    this.sessions.add(session);
  }

  private async call(
    { request, metadata }: ServerUnaryCall<Buffer, Buffer>,
    answer: sendUnaryData<Buffer>,
  ): Promise<void> {
    try {
      const refused = this.refusal();
      if (refused !== undefined) return answer(refused);
      const call = calls.decode(request);
      this.parts.service.validate(call);
      if (call.type === Call_Type.SUBSCRIBE)
        return answer(statusError(status.INVALID_ARGUMENT, "SUBSCRIBE needs the Subscribe stream"));
      const streamId = metadata.get("mesos-stream-id")[0]?.toString();
      const accepted = this.parts.service.call({ call, principal: undefined, streamId });
      if (accepted !== undefined) await accepted;
      answer(null, EMPTY);
    } catch (error) {
      answer(this.statusOf(error));
    }
  }

  private refusal(): ServiceError | undefined {
    if (this.stopping) return statusError(status.UNAVAILABLE, "this master is shutting down");
    const { port } = this.options;
    return notLeading(this.parts.service.leadership(), { grpcPort: port === 0 ? undefined : port });
  }

  private statusOf(error: unknown): ServiceError {
    const known = clientStatus(error);
    if (known !== undefined) return known;
    this.parts.logger.error({ err: error }, "a scheduler call over gRPC failed");
    return statusError(status.INTERNAL, "internal error");
  }
}

/** grpc-js says what the operating system said in brackets behind words of its own. */
function bindProblem(error: Error): string {
  return /\[(.+)\]$/.exec(error.message)?.[1] ?? messageOf(error);
}

async function loadDescriptors(): Promise<import("./descriptors.js").Descriptors> {
  const [{ Descriptors }, { imageBase64 }] = await Promise.all([
    import("./descriptors.js"),
    import("../../proto/gen/image.js"),
  ]);
  return new Descriptors(Buffer.from(imageBase64, "base64"));
}
