import { allocatorSuite } from "../../../sdk/testing/allocator-suite.js";
import { makeAllocator } from "./make-allocator.js";

describe("drf allocator", () => {
  for (const { name, run } of allocatorSuite((dependencies) => makeAllocator(dependencies))) it(name, run);
});
