import {
  type Offer_Operation,
  Offer_Operation_Type as OperationType,
  Resource_ReservationInfo_Type as ReservationType,
  type Resource,
  Volume_Mode,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { AgentRecord } from "../../sdk/contracts/master-view.js";
import type { Resources } from "../../sdk/resources/index.js";
import type { Cluster } from "./cluster.js";
import { callLeader } from "./leader-call.js";
import type { MasterLife } from "./master-node.js";
import { QUOTA_ROLE } from "./operator-plans.js";
import type { SimulatedProcess } from "./process.js";

const { RESERVE, UNRESERVE, CREATE, DESTROY } = OperationType;

/**
 * Reservations and volumes that an operator requests. The answer comes before the agent has heard of the request, so it says nothing about
 * the outcome.
 */
export class OperatorResources {
  constructor(
    private readonly cluster: Cluster,
    private readonly process: SimulatedProcess,
  ) {}

  act(leader: MasterLife): void {
    const agent = this.cluster.world.dice.pick([...leader.master.view.agents()]);
    const operation = agent && this.operation(agent);
    if (operation === undefined) return;
    callLeader(this.cluster, {
      client: this.process,
      leader,
      text: `${OperationType[operation.type!]} on ${agent!.id}`,
      perform: async () => leader.master.operate({ agentId: agent!.id, operation, principal: undefined }),
      answered: () => undefined,
    });
  }

  private operation({ id, total, used }: AgentRecord): Offer_Operation | undefined {
    const { volumes } = this.cluster;
    const { dice } = this.cluster.world;
    // Includes offered resources: the offers are then rescinded.
    const free = total.subtract(used.unallocate());
    const pick = (resources: Resources): Resource | undefined =>
      dice.pick(resources.toMessages().filter(({ scalar }) => scalar !== undefined));
    const isVolume = ({ disk }: Resource): boolean => disk?.persistence !== undefined;
    switch (dice.weighted({ reserve: 2, unreserve: 2, create: 1, destroy: 1 })) {
      case "reserve": {
        const from = pick(free.unreserved());
        const reservations = [{ type: ReservationType.DYNAMIC, role: QUOTA_ROLE }];
        return (
          from && { type: RESERVE, reserve: { source: [], resources: [{ ...half(from), reservations }] } }
        );
      }
      case "unreserve": {
        const from = pick(free.filter(({ kind }) => kind.reservations.length > 0));
        return from && !isVolume(from) ? { type: UNRESERVE, unreserve: { resources: [from] } } : undefined;
      }
      case "create": {
        const from = pick(free.filter(({ kind }) => kind.name === "disk" && kind.reservations.length > 0));
        if (from === undefined || isVolume(from)) return undefined;
        const volume = volumes.newId("op");
        volumes.place(volume, id);
        const disk = {
          persistence: { id: volume },
          volume: { container_path: "data", mode: Volume_Mode.RW },
        };
        return { type: CREATE, create: { volumes: [{ ...half(from), disk }] } };
      }
      case "destroy": {
        const volume = pick(free.persistentVolumes());
        if (volume === undefined) return undefined;
        volumes.mayGo(volume.disk!.persistence!.id!);
        return { type: DESTROY, destroy: { volumes: [volume] } };
      }
    }
  }
}

const half = (resource: Resource): Resource => ({
  ...resource,
  scalar: { value: Math.ceil((resource.scalar?.value ?? 0) * 500) / 1000 },
});
