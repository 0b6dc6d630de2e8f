/** `tepui/sdk/testing`: virtual time, repeatable randomness, and the suites that implementations of contracts must pass. */
export { allocatorSuite } from "./allocator-suite.js";
export type { AllocatorDependencies, MakeAllocator } from "./allocator-world.js";
export { type FetcherSubject, fetcherSuite, type MakeFetcher } from "./fetcher-suite.js";
export { type IsolatorSubject, isolatorSuite, type MakeIsolator } from "./isolator-suite.js";
export { type LogLine, MemoryLogger } from "./memory-logger.js";
export { messageTransportSuite, type TransportPair } from "./message-transport-suite.js";
export {
  type MakeQoSController,
  type QoSControllerSubject,
  qosControllerSuite,
} from "./qos-controller-suite.js";
export { type MakeRegistry, type RegistrySubject, registrySuite } from "./registry-suite.js";
export {
  type MakeResourceEstimator,
  type ResourceEstimatorSubject,
  resourceEstimatorSuite,
} from "./resource-estimator-suite.js";
export { SeededRandom } from "./seeded-random.js";
export type { SuiteCase } from "./suite-case.js";
export { VirtualClock } from "./virtual-clock.js";
