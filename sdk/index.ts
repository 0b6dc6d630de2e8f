export * from "./contracts/clock.js";
export * from "./contracts/logger.js";
export * from "./contracts/metrics.js";
export * from "./contracts/random.js";
export * from "./errors/index.js";
export * from "./plugin/index.js";
export * from "./values/index.js";
