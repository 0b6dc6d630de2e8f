export { applyOperation } from "./apply-operation.js";
export { decodeRecords, encodeRecords, type LogRecord } from "./record.js";
export { emptyFacts, factsOf, type RegistryFacts, stateOf } from "./registry-facts.js";
export { RegistryMetrics } from "./registry-metrics.js";
