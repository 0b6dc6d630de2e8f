import type { ClientHttp2Session } from "node:http2";
import type {
  Checker,
  CheckOutcome,
  CheckSpec,
  CheckTarget,
  PreparedCheck,
} from "../../sdk/contracts/checker.js";
import type { Network } from "./network/network.js";

const SERVING = 1;
const STATUSES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/**
 * Asks the standard service of gRPC servers, `grpc.health.v1.Health`, without TLS. The path of the check names the service that is asked for;
 * `/` is the server as a whole.
 */
export class GrpcChecker implements Checker {
  constructor(private readonly network: Network) {}

  prepare({ address, port, path }: CheckSpec, { pid }: CheckTarget): PreparedCheck {
    const place = this.network.place(pid);
    const message = framed(requestOf(path.slice(1)));
    return {
      async run(signal) {
        const http2 = await import("node:http2");
        return place.exchange({ address, port, signal }, (connection, { found, failed }) => {
          const session = http2.connect("http://localhost", { createConnection: () => connection });
          const end = (): void => session.destroy();
          connection.on("error", (error) => {
            end();
            failed(error);
          });
          connection.once("close", end);
          session.on("error", failed);
          call(session, message, (outcome) => {
            end();
            found(outcome);
          });
        });
      },
    };
  }
}

function call(session: ClientHttp2Session, message: Buffer, over: (outcome: CheckOutcome) => void): void {
  const stream = session.request({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    "content-type": "application/grpc",
    te: "trailers",
  });
  let answer: Buffer = Buffer.alloc(0);
  let status: string | undefined;
  const note = (headers: NodeJS.Dict<string | string[]>): void => {
    const value = headers["grpc-status"];
    if (typeof value === "string") status = value;
  };
  // An answer without a body has its status in the first headers.
  stream.on("response", note);
  stream.on("trailers", note);
  stream.on("data", (chunk: Buffer) => {
    // More than a status is none.
    if (answer.length < 1024) answer = Buffer.concat([answer, chunk]);
  });
  stream.on("error", (error) => over({ healthy: false, message: error.message }));
  stream.on("end", () => over(outcomeOf(status, answer)));
  stream.end(message);
}

function outcomeOf(status: string | undefined, answer: Buffer): CheckOutcome {
  if (status !== "0")
    return { healthy: false, message: `the call failed with gRPC status ${status ?? "unknown"}` };
  const found = servingStatus(answer);
  if (found === SERVING) return { healthy: true };
  return { healthy: false, message: `it is ${STATUSES[found] ?? found}` };
}

/** A message of gRPC: not compressed, its length, itself. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** `HealthCheckRequest { string service = 1; }` */
function requestOf(service: string): Buffer {
  const name = Buffer.from(service).subarray(0, 16_383);
  if (name.length === 0) return name;
  const length = name.length < 128 ? [name.length] : [(name.length & 127) | 128, name.length >> 7];
  return Buffer.concat([Buffer.from([0x0a, ...length]), name]);
}

/** `HealthCheckResponse { ServingStatus status = 1; }`, in its frame; the default is 0. */
const servingStatus = (frame: Buffer): number => (frame[5] === 0x08 ? (frame[6] ?? 0) : 0);
