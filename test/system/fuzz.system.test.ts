import { connect } from "node:net";
import { expect } from "chai";
import { SeededRandom } from "../../sdk/testing/seeded-random.js";
import { type Cluster, startCluster } from "../support/cluster.js";
import type { Daemon } from "../support/daemons.js";

const SEED = 20_261_122;
/** Of all endpoints together. `npm run fuzz` sends so many to each, which takes some minutes. */
const BODIES = 10_000;

interface Endpoint {
  readonly daemon: "master" | "agent";
  readonly path: string;
}

const MASTER = [
  ...["/api/v1", "/api/v1/scheduler", "/master/api/v1/scheduler"],
  ...["RegisterSlave", "ReregisterSlave", "StatusUpdate", "UpdateSlave", "ExitedExecutor"].map(
    messageTo("master"),
  ),
  ...["RegisterFramework", "LaunchTasks", "KillTask"].map(messageTo("master")),
  ...[
    "/state",
    "/state-summary",
    "/slaves",
    "/frameworks",
    "/tasks",
    "/roles",
    "/flags",
    "/version",
    "/health",
  ],
  ...[
    "/master/state.json",
    "/tasks.json",
    "/roles.json",
    "/redirect",
    "/metrics/snapshot",
    "/system/stats.json",
  ],
  ...["/reserve", "/unreserve", "/create-volumes", "/destroy-volumes", "/quota", "/weights", "/teardown"],
  ...["/machine/up", "/maintenance/schedule", "/maintenance/status", "/registrar(1)/registry"],
  ...["/allocator/explain", "/allocator/offer_constraints_debug", "/logging/toggle", "/nothing/here"],
];

const AGENT = [
  ...["/api/v1", "/api/v1/executor", "/slave(1)/api/v1/executor"],
  ...["RunTask", "KillTask", "ShutdownFramework", "StatusUpdateAcknowledgement", "PingSlave"].map(
    messageTo("slave(1)"),
  ),
  ...["RegisterExecutor", "StatusUpdate"].map(messageTo("slave(1)")),
  ...[
    "/state",
    "/slave(1)/state.json",
    "/containers",
    "/containerizer/debug",
    "/monitor/statistics",
    "/flags",
    "/version",
    "/health",
  ],
  ...[
    "/files/read",
    "/files/browse",
    "/files/download",
    "/metrics/snapshot",
    "/system/stats.json",
    "/logging/toggle",
  ],
];

const ENDPOINTS: readonly Endpoint[] = [
  ...MASTER.map((path): Endpoint => ({ daemon: "master", path })),
  ...AGENT.map((path): Endpoint => ({ daemon: "agent", path })),
];

/** Path of an internal message. */
function messageTo(actor: string): (name: string) => string {
  return (name) => `/${actor}/mesos.internal.${name}Message`;
}

/** Starting points for mutation: the nearer to right, the deeper a wrong body gets. */
const CALLS = [
  '{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"fuzz","roles":["*"],"capabilities":[{"type":"MULTI_ROLE"}]}}}',
  '{"framework_id":{"value":"x"},"type":"ACCEPT","accept":{"offer_ids":[{"value":"o"}],"operations":[{"type":"LAUNCH","launch":{"task_infos":[{"name":"t","task_id":{"value":"t"},"agent_id":{"value":"a"},"command":{"value":"true"}}]}}],"filters":{"refuse_seconds":1}}}',
  '{"framework_id":{"value":"x"},"type":"ACKNOWLEDGE","acknowledge":{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"AAAAAAAAAAAAAAAAAAAAAA=="}}',
  '{"framework_id":{"value":"x"},"type":"RECONCILE","reconcile":{"tasks":[]}}',
  '{"executor_id":{"value":"e"},"framework_id":{"value":"x"},"type":"SUBSCRIBE","subscribe":{"unacknowledged_tasks":[],"unacknowledged_updates":[]}}',
  '{"executor_id":{"value":"e"},"framework_id":{"value":"x"},"type":"UPDATE","update":{"status":{"task_id":{"value":"t"},"state":"TASK_RUNNING","uuid":"AAAA","source":"SOURCE_EXECUTOR"}}}',
  '{"type":"WAIT_CONTAINER","wait_container":{"container_id":{"value":"x","parent":{"value":"y"}}}}',
  '{"type":"LAUNCH_NESTED_CONTAINER_SESSION","launch_nested_container_session":{"container_id":{"value":"x","parent":{"value":"y"}},"command":{"value":"true"}}}',
  '115\n{"type":"ATTACH_CONTAINER_INPUT","attach_container_input":{"type":"CONTAINER_ID","container_id":{"value":"x"}}}',
];

const TYPES = [
  "application/json",
  "application/x-protobuf",
  "application/recordio",
  "text/plain",
  "application/json; charset=x",
  "",
];
const METHODS = ["POST", "POST", "POST", "POST", "GET", "PUT", "DELETE", "OPTIONS"];

class Fuzzer {
  readonly #random = new SeededRandom(SEED);

  below(n: number): number {
    return Math.floor(this.#random.next() * n);
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  body(): Buffer {
    switch (this.below(6)) {
      case 0:
        return Buffer.from(this.#random.bytes(this.below(400)));
      case 1:
        return Buffer.from(this.#random.bytes(this.below(6)));
      case 2:
        return Buffer.from("[".repeat(this.below(3000)));
      case 3: {
        // A protobuf prefix: tag and length claims that the rest does not keep.
        const bytes = Buffer.from(this.#random.bytes(1 + this.below(60)));
        bytes[0] = this.pick([0x08, 0x0a, 0x12, 0x1a, 0x22, 0xfa]);
        return bytes;
      }
      default:
        return this.#mutated(Buffer.from(this.pick(CALLS)));
    }
  }

  #mutated(call: Buffer): Buffer {
    let bytes = call;
    for (let i = this.below(4); i >= 0; i--) {
      const at = this.below(bytes.length);
      const insert = Buffer.from(
        this.pick(['"', "{", "}", "null", "[]", "-1", "1e999", "\\u0000", "true", '"__proto__":', "ü", ","]),
      );
      switch (this.below(3)) {
        case 0:
          bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at)]);
          break;
        case 1:
          bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + insert.length)]);
          break;
        default:
          bytes = bytes.subarray(0, at + 1);
      }
    }
    return bytes;
  }

  /** A whole request as bytes; sometimes the framing itself is wrong. */
  request(path: string): Buffer {
    const body = this.body();
    const type = this.pick(TYPES);
    const headers = [
      `${this.pick(METHODS)} ${path}${this.below(5) === 0 ? "?jsonp=%00&limit=-9&path=../../etc/passwd" : ""} HTTP/1.1`,
      "Host: fuzz",
      "Connection: close",
      ...(type === "" ? [] : [`Content-Type: ${type}`]),
      ...(this.below(3) === 0 ? ["Accept: application/json"] : []),
      ...(this.below(4) === 0 ? ["Mesos-Stream-Id: 00000000-0000-4000-8000-000000000000"] : []),
      ...(path.includes("mesos.internal") && this.below(4) > 0 ? ["Libprocess-From: fuzz@127.0.0.1:1"] : []),
    ];
    const chunked = this.below(4) === 0;
    if (chunked) headers.push("Transfer-Encoding: chunked");
    else headers.push(`Content-Length: ${this.below(20) === 0 ? body.length + 3 : body.length}`);
    const head = Buffer.from(`${headers.join("\r\n")}\r\n\r\n`, "latin1");
    if (!chunked) return Buffer.concat([head, body]);
    return Buffer.concat([
      head,
      Buffer.from(`${body.length.toString(16)}\r\n`),
      body,
      Buffer.from("\r\n0\r\n\r\n"),
    ]);
  }
}

/** Sends the bytes, ends its side, and resolves when the daemon has closed or has begun a stream. */
function exchange(daemon: Daemon, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect({ host: "127.0.0.1", port: daemon.port });
    const done = () => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      // A subscription stays open: what it began with is answer enough.
      if (/Transfer-Encoding: chunked/i.test(answer) || answer.includes("202 Accepted")) done();
    });
    socket.on("close", done);
    socket.on("error", done);
    socket.end(bytes);
  });
}

describe("malformed and random requests", function () {
  this.timeout(3_600_000);
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster.stop());

  const total =
    process.env.FUZZ_EACH === undefined ? BODIES : Number(process.env.FUZZ_EACH) * ENDPOINTS.length;

  it(`leave both daemons up and answering after ${total} of them`, async () => {
    const fuzzer = new Fuzzer();
    const statuses = new Map<string, number>();
    let sent = 0;
    const one = async () => {
      const endpoint = ENDPOINTS[sent++ % ENDPOINTS.length]!;
      const daemon = endpoint.daemon === "master" ? cluster.master : cluster.agents[0]!;
      const answer = await exchange(daemon, fuzzer.request(endpoint.path));
      const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? "none";
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === "500") throw new Error(`${endpoint.path} answered 500: ${answer}`);
    };
    while (sent < total) await Promise.all(Array.from({ length: 50 }, one));
    for (const daemon of [cluster.master, ...cluster.agents]) {
      expect(daemon.process.exitCode).to.equal(null);
      const health = await fetch(`http://127.0.0.1:${daemon.port}/health`);
      expect(health.status).to.equal(200);
      expect((await fetch(`http://127.0.0.1:${daemon.port}/state`)).status).to.equal(200);
    }
    // The bodies really were wrong, and were told so.
    expect(statuses.get("400") ?? 0).to.be.greaterThan(total / 10);
  });
});
