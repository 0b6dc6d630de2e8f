export { ExecutorClient, type ExecutorClientOptions, type StatusInput } from "./client.js";
export { type ExecutorEnvironment, executorEnvironment } from "./environment.js";
export { ExecutorRefusedError } from "./errors.js";
export type { ExecutorEvent, ExecutorEventOf } from "./events.js";
export type { ExecutorStream, ExecutorTransport } from "./transport.js";
