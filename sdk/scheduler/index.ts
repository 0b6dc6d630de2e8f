export type {
  ExecutorTarget,
  FrameworkUpdate,
  KillOptions,
  OfferInput,
  ReconcileOperation,
  ReconcileTask,
} from "./calls.js";
export { SchedulerClient } from "./client.js";
export { FrameworkFailedOverError, FrameworkRefusedError, FrameworkRemovedError } from "./errors.js";
export type { SchedulerEvent, SchedulerEventOf } from "./events.js";
export type { FrameworkInput, SchedulerClientOptions } from "./options.js";
export { resourceList } from "./tasks.js";
export type { SchedulerStream, SchedulerTransport, SubscribeRequest } from "./transport.js";
