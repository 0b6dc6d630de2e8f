import { ResourceEstimator } from "../../../sdk/contracts/resource-estimator.js";
import { definePlugin, moduleParameters, reading, z } from "../../../sdk/plugin/index.js";
import { parseDuration } from "../../../sdk/values/index.js";
import { SlackEstimator, type SlackName } from "./slack-estimator.js";

/** As Mesos names modules. */
const MODULE = "tepui_UsageSlackResourceEstimator";

const NAMES: readonly SlackName[] = ["cpus", "mem"];

const isName = (name: string): name is SlackName => NAMES.some((each) => each === name);

const names = z
  .string()
  .transform((text) => text.split(",").map((name) => name.trim()))
  .pipe(z.array(z.string().refine(isName, `must be of ${NAMES.join(", ")}`)).min(1))
  .meta({ description: "What is lent: cpus, or cpus,mem." })
  .optional();

const parameters = {
  lent_resources: names,
  usage_window: z
    .union([z.string(), z.number()])
    .transform(reading(parseDuration))
    .meta({
      description: "How long a container is watched before it lends; its highest use in this time counts.",
    })
    .optional(),
  usage_reserve: z.coerce
    .number()
    .min(0)
    .max(1)
    .meta({ description: "Part (0 to 1) of what a container has that it never lends." })
    .optional(),
};

const config = z.strictObject({
  ...parameters,
  modules: moduleParameters(MODULE, z.strictObject(parameters)).optional(),
});

export default definePlugin({
  name: "usage-slack-estimator",
  version: "1.0.0",
  description: "Lends what containers have and do not use, by their statistics",
  targets: ["agent"],
  provides: [ResourceEstimator],
  config,
  setup(ctx) {
    const { modules, ...own } = ctx.config;
    const window = own.usage_window ?? modules?.usage_window ?? 300_000;
    const estimator = new SlackEstimator({
      names: own.lent_resources ?? modules?.lent_resources ?? ["cpus"],
      window: window / 1000,
      reserve: own.usage_reserve ?? modules?.usage_reserve ?? 0.1,
    });
    ctx.bind(ResourceEstimator, estimator);
  },
});
