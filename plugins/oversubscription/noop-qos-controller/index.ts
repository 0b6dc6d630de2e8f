import { QoSController } from "../../../sdk/contracts/qos-controller.js";
import { definePlugin } from "../../../sdk/plugin/index.js";

export default definePlugin({
  name: "noop-qos-controller",
  version: "1.0.0",
  description: "Takes nothing back that was lent",
  targets: ["agent"],
  provides: [QoSController],
  setup(ctx) {
    // Never has an answer, so that it is asked once only.
    ctx.bind(QoSController, { corrections: () => new Promise(() => undefined) });
  },
});
