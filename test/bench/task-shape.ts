import {
  type Offer,
  type Offer_Operation,
  Offer_Operation_Type,
  type Resource,
  type TaskInfo,
  Value_Type,
} from "../../proto/gen/mesos/v1/mesos.js";

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

  task(offer: Offer, index: number): TaskInfo {
    return {
      name: "true",
      task_id: { value: `t${index}` },
      agent_id: offer.agent_id!,
      resources: this.resources(offer),
      limits: {},
      command: { value: "true", uris: [], arguments: [] },
      ...this.more,
    };
  }

  /** What is to be done with an offer to launch the tasks. */
  operations(_offer: Offer, tasks: TaskInfo[]): Offer_Operation[] {
    return tasks.length === 0 ? [] : [{ type: Offer_Operation_Type.LAUNCH, launch: { task_infos: tasks } }];
  }

  protected resources({ allocation_info }: Offer): Resource[] {
    const scalar = (name: string, value: number): Resource => ({
      name,
      type: Value_Type.SCALAR,
      scalar: { value },
      reservations: [],
      ...(allocation_info && { allocation_info }),
    });
    // Executors of pods must have some disk.
    return [scalar("cpus", this.cpus), scalar("mem", this.mem), scalar("disk", 1)];
  }
}
