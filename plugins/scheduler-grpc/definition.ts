import { SchedulerService } from "../../proto/gen/tepui/v1/scheduler.js";

const asIs = (bytes: Buffer): Buffer => bytes;

/**
 * `tepui.v1.Scheduler` with messages left as bytes: what grpc-js cannot parse it answers with INTERNAL and no word on what is
 * wrong, and an event for a slow subscriber is to be counted in bytes.
 */
export const rawSchedulerService = {
  subscribe: {
    ...SchedulerService.subscribe,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
  call: {
    ...SchedulerService.call,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
} as const;

export const SCHEDULER_SERVICE_NAME = "tepui.v1.Scheduler";
