import { ResourceEstimator } from "../../../sdk/contracts/resource-estimator.js";
import { definePlugin, moduleParameters, z } from "../../../sdk/plugin/index.js";
import { parseResources, Resources } from "../../../sdk/resources/index.js";
import { FixedEstimator } from "./fixed-estimator.js";

/** The name of Mesos's module; this plugin stands in for it. */
const MODULE = "org_apache_mesos_FixedResourceEstimator";

const resources = z
  .string()
  .transform((text, check): Resources => {
    const read = parseResources(text);
    if (read.ok) return read.value;
    check.issues.push({ code: "custom", message: read.error, input: text });
    return Resources.empty;
  })
  .meta({ description: "What can be lent a second time, in the form of --resources: cpus:2;mem:512." });

const config = z
  .strictObject({
    // Not `resources`: that is what the agent has.
    oversubscribed_resources: resources.optional(),
    modules: moduleParameters(MODULE, z.strictObject({ resources: resources.optional() })).optional(),
  })
  .refine(
    ({ oversubscribed_resources: own, modules }) => own !== undefined || modules?.resources !== undefined,
    `needs to be told what can be lent: the parameter 'resources' of the module ${MODULE} in --modules, or oversubscribed_resources`,
  );

export default definePlugin({
  name: "fixed-resource-estimator",
  version: "1.0.0",
  description: "Lends a fixed amount of resources a second time",
  targets: ["agent"],
  provides: [ResourceEstimator],
  config,
  setup(ctx) {
    const { oversubscribed_resources: own, modules } = ctx.config;
    ctx.bind(ResourceEstimator, new FixedEstimator(own ?? modules?.resources ?? Resources.empty));
  },
});
