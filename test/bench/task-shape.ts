import { type Offer, type TaskInfo, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";

/** Tasks of one size; of `true`, unless they are to be something else. */
export class TaskShape {
  constructor(
    private readonly cpus: number,
    private readonly mem: number,
    private readonly more: Partial<TaskInfo> = {},
  ) {}

  /** How many fit. What comes free on an agent may be offered in parts. */
  capacity(offer: Offer): number {
    const amount = (name: string) => offer.resources.find((each) => each.name === name)?.scalar?.value ?? 0;
    return Math.floor(Math.min(amount("cpus") / this.cpus, amount("mem") / this.mem) + 1e-6);
  }

  task(offer: Offer, index: number) {
    const { allocation_info } = offer;
    const scalar = (name: string, value: number) => ({
      name,
      type: Value_Type.SCALAR,
      scalar: { value },
      ...(allocation_info && { allocation_info }),
    });
    return {
      name: "true",
      task_id: { value: `t${index}` },
      agent_id: offer.agent_id!,
      resources: [scalar("cpus", this.cpus), scalar("mem", this.mem)],
      command: { value: "true", uris: [], arguments: [] },
      ...this.more,
    };
  }
}
