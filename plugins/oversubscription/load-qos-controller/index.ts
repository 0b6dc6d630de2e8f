import { loadavg } from "node:os";
import { QoSController } from "../../../sdk/contracts/qos-controller.js";
import { definePlugin, moduleParameters, z } from "../../../sdk/plugin/index.js";
import { LoadController, type LoadThresholds } from "./load-controller.js";

/** The name of Mesos's module; this plugin stands in for it. */
const MODULE = "org_apache_mesos_LoadQoSController";

const threshold = z.coerce
  .number()
  .meta({ description: "Average number of processes that run or want to, above which revocable tasks end." })
  .optional();

const thresholds = { load_threshold_5min: threshold, load_threshold_15min: threshold };

const config = z
  .strictObject({
    ...thresholds,
    modules: moduleParameters(MODULE, z.strictObject(thresholds)).optional(),
  })
  .refine((given) => {
    const { fiveMinutes, fifteenMinutes } = thresholdsOf(given);
    return fiveMinutes !== undefined || fifteenMinutes !== undefined;
  }, `needs a threshold: load_threshold_5min or load_threshold_15min, as a parameter of the module ${MODULE} in --modules, or here`);

interface Given extends Parameters {
  readonly modules?: Parameters | undefined;
}

interface Parameters {
  readonly load_threshold_5min?: number | undefined;
  readonly load_threshold_15min?: number | undefined;
}

const thresholdsOf = ({ modules, ...own }: Given): LoadThresholds => ({
  fiveMinutes: own.load_threshold_5min ?? modules?.load_threshold_5min,
  fifteenMinutes: own.load_threshold_15min ?? modules?.load_threshold_15min,
});

export default definePlugin({
  name: "load-qos-controller",
  version: "1.0.0",
  description: "Ends revocable tasks while the load of the host is above a threshold",
  targets: ["agent"],
  provides: [QoSController],
  config,
  setup(ctx) {
    const thresholds = thresholdsOf(ctx.config);
    ctx.bind(QoSController, new LoadController({ thresholds, load: loadavg, logger: ctx.logger }));
  },
});
