import { ResourceDetector } from "../../sdk/contracts/resource-detector.js";
import { definePlugin } from "../../sdk/plugin/index.js";
import { HostResources } from "./host-resources.js";

export default definePlugin({
  name: "host-resources",
  version: "1.0.0",
  description: "Finds the host's cpus, memory, disk and ports",
  targets: ["agent"],
  provides: [ResourceDetector],
  setup: (ctx) => ctx.bind(ResourceDetector, new HostResources()),
});
