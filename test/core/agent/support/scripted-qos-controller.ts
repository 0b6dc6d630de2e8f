import type { QoSController, QoSCorrection } from "../../../../sdk/contracts/qos-controller.js";
import type { MeasureUsage } from "../../../../sdk/contracts/resource-estimator.js";

/** Has nothing to say until the test does. */
export class ScriptedQoSController implements QoSController {
  asked = 0;
  measure!: MeasureUsage;
  private settle!: {
    resolve: (corrections: readonly QoSCorrection[]) => void;
    reject: (error: Error) => void;
  };

  corrections(measure: MeasureUsage): Promise<readonly QoSCorrection[]> {
    this.asked++;
    this.measure = measure;
    return new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
  }

  say(...corrections: QoSCorrection[]): void {
    this.settle.resolve(corrections);
  }

  fail(error: Error): void {
    this.settle.reject(error);
  }
}
