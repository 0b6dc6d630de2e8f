import { basicAuthorization, type SchedulerClientOptions } from "./options.js";
import type { SchedulerTransport } from "./transport.js";

const DEFAULT_TIMEOUT_MS = 10_000;

/** The transport that the options ask for; its library is loaded here and not before. */
export async function chooseTransport(options: SchedulerClientOptions): Promise<SchedulerTransport> {
  const { transport = "http", contentType = "protobuf", tls, timeout = DEFAULT_TIMEOUT_MS } = options;
  if (typeof transport === "object") return transport;
  const authorization = basicAuthorization(options);
  if (transport === "http") {
    const { HttpSchedulerTransport } = await import("./http-transport.js");
    return new HttpSchedulerTransport({ contentType, authorization, tls, timeout });
  }
  const { GrpcSchedulerTransport } = await import("./grpc-transport.js");
  return new GrpcSchedulerTransport({ authorization, tls, timeout });
}
