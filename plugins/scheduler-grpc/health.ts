import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  type HealthListRequest,
  type HealthListResponse,
  type HealthServer,
  HealthCheckResponse_ServingStatus as Serving,
} from "../../proto/gen/grpc/health/v1/health.js";
import type { Clock, Timer } from "../../sdk/contracts/clock.js";
import { statusError } from "./status.js";

/** How often watched states are looked at, in milliseconds. */
const WATCH_INTERVAL_MS = 1000;

type Watcher = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

/** `grpc.health.v1.Health`: the server as a whole (the empty name) and each service by its full name. */
export class HealthServices {
  private readonly watchers = new Map<Watcher, Serving>();
  private timer: Timer | undefined;

  /** @param services says of each service whether it can be used now */
  constructor(
    private readonly services: ReadonlyMap<string, () => boolean>,
    private readonly clock: Clock,
  ) {}

  readonly server: HealthServer = {
    check: (call, answer) => this.check(call, answer),
    list: (_call: ServerUnaryCall<HealthListRequest, HealthListResponse>, answer) => {
      const statuses = [...this.services.keys()].map((name) => [name, { status: this.statusOf(name) }]);
      answer(null, { statuses: Object.fromEntries(statuses) });
    },
    watch: (call) => this.watch(call),
  };

  stop(): void {
    this.timer?.cancel();
    for (const watcher of this.watchers.keys()) {
      watcher.write({ status: Serving.NOT_SERVING });
      watcher.end();
    }
    this.watchers.clear();
  }

  private check(
    call: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
    answer: sendUnaryData<HealthCheckResponse>,
  ): void {
    const name = call.request.service ?? "";
    const serving = this.statusOf(name);
    if (serving === Serving.SERVICE_UNKNOWN) answer(statusError(status.NOT_FOUND, `no service '${name}'`));
    else answer(null, { status: serving });
  }

  private watch(watcher: Watcher): void {
    const serving = this.statusOf(watcher.request.service ?? "");
    this.watchers.set(watcher, serving);
    watcher.on("cancelled", () => this.watchers.delete(watcher));
    watcher.on("close", () => this.watchers.delete(watcher));
    watcher.write({ status: serving });
    this.timer ??= this.clock.setInterval(() => this.look(), WATCH_INTERVAL_MS);
  }

  private look(): void {
    for (const [watcher, before] of this.watchers) {
      const now = this.statusOf(watcher.request.service ?? "");
      if (now === before) continue;
      this.watchers.set(watcher, now);
      watcher.write({ status: now });
    }
    if (this.watchers.size > 0) return;
    this.timer?.cancel();
    this.timer = undefined;
  }

  private statusOf(name: string): Serving {
    const serves = this.services.get(name);
    if (serves === undefined) return Serving.SERVICE_UNKNOWN;
    return serves() ? Serving.SERVING : Serving.NOT_SERVING;
  }
}
