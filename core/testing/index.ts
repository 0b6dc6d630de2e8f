export * from "../../sdk/testing/memory-logger.js";
export * from "../../sdk/testing/seeded-random.js";
export * from "../../sdk/testing/virtual-clock.js";
export { type Override, override } from "./override.js";
export { createTestKernel, TestKernel, type TestKernelOptions } from "./test-kernel.js";
