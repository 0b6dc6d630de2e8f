import { ResourceEstimator } from "../../../sdk/contracts/resource-estimator.js";
import { definePlugin } from "../../../sdk/plugin/index.js";
import { Resources } from "../../../sdk/resources/index.js";

export default definePlugin({
  name: "noop-resource-estimator",
  version: "1.0.0",
  description: "Lends nothing a second time",
  targets: ["agent"],
  provides: [ResourceEstimator],
  setup(ctx) {
    ctx.bind(ResourceEstimator, { oversubscribable: async () => Resources.empty });
  },
});
