import type { MeasureUsage, ResourceEstimator } from "../../../../sdk/contracts/resource-estimator.js";
import { Resources } from "../../../../sdk/resources/index.js";

/** Answers as the test says; nothing, unless it says anything. */
export class ScriptedEstimator implements ResourceEstimator {
  asked = 0;
  answer: (measure: MeasureUsage) => Promise<Resources> = async () => Resources.empty;

  oversubscribable(measure: MeasureUsage): Promise<Resources> {
    this.asked++;
    return this.answer(measure);
  }
}
