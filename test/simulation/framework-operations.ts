import { isDeepStrictEqual } from "node:util";
import { isTerminalOperation } from "../../core/master/operations/operation-entry.js";
import {
  type Offer,
  type Offer_Operation,
  OperationState,
  type OperationStatus,
  Offer_Operation_Type as OperationType,
  Resource_ReservationInfo_Type as ReservationType,
  type Resource,
  Value_Type,
  Volume_Mode,
} from "../../proto/gen/mesos/v1/mesos.js";
import { applyOperation, type ResourceEntry, Resources } from "../../sdk/resources/index.js";
import type { Cluster } from "./cluster.js";
import type { Dice } from "./dice.js";
import type { Volumes } from "./invariants/volumes.js";
import type { World } from "./world.js";

const { OPERATION_GONE_BY_OPERATOR } = OperationState;
const { RESERVE, UNRESERVE, CREATE, DESTROY, GROW_VOLUME, SHRINK_VOLUME } = OperationType;

/** An offer operation, as its framework recorded it before requesting it. */
export interface OperationRecord {
  readonly id: string;
  readonly agentId: string;
  readonly type: OperationType;
  /** The volume that it creates or destroys. */
  readonly volume: string | undefined;
  state: OperationState;
  /** The first terminal state that the framework heard of. */
  end: OperationState | undefined;
  acknowledged: boolean;
}

const OPERATIONS = { reserve: 3, unreserve: 1, create: 2, destroy: 1 };
const WITH_RESIZES = { ...OPERATIONS, grow: 1, shrink: 0.5 };

/** The maximum number of operations of a framework, so that a run ends. */
const MOST_OPERATIONS = 40;

/** What one scheduler does with reservations and volumes, and what it hears about them. */
export class FrameworkOperations {
  readonly records = new Map<string, OperationRecord>();
  private next = 0;

  constructor(
    private readonly cluster: Cluster,
    private readonly name: string,
  ) {}

  private get world(): World {
    return this.cluster.world;
  }

  private get volumes(): Volumes {
    return this.cluster.volumes;
  }

  /** Operations that build on each other, for an offer. Returns the resources after them. */
  plan(offer: Offer, role: string): { operations: Offer_Operation[]; available: Resources } {
    const { dice } = this.world;
    let available = Resources.of(offer.resources);
    const operations: Offer_Operation[] = [];
    // Only unreserved resources without a volume are reserved, and only for a role.
    while (role !== "*" && this.next < MOST_OPERATIONS && dice.chance(0.5)) {
      const operation = this.operation(available, role);
      if (operation === undefined) break;
      const after = applyOperation(available, operation);
      if (!after.ok) break;
      available = after.value;
      operations.push(this.write(operation, offer.agent_id!.value!));
    }
    return { operations, available };
  }

  /** A possible operation, if there is one. */
  private operation(available: Resources, role: string): Offer_Operation | undefined {
    const { dice } = this.world;
    const pick = (keep: (entry: ResourceEntry) => boolean): Resource | undefined => {
      const entry = dice.pick(available.filter(keep).entries.filter(isScalar));
      return entry && Resources.fromEntries([entry]).toMessages()[0];
    };
    const isVolume = ({ kind }: ResourceEntry): boolean => kind.disk?.persistence !== undefined;
    switch (dice.weighted<keyof typeof WITH_RESIZES>(this.cluster.size.wide ? WITH_RESIZES : OPERATIONS)) {
      case "reserve": {
        const from = pick(({ kind }) => kind.reservations.length === 0);
        if (from === undefined) return undefined;
        const reservations = [{ type: ReservationType.DYNAMIC, role }];
        return { type: RESERVE, reserve: { source: [], resources: [{ ...part(from, dice), reservations }] } };
      }
      case "unreserve": {
        const from = pick((entry) => entry.kind.reservations.length > 0 && !isVolume(entry));
        return from && { type: UNRESERVE, unreserve: { resources: [from] } };
      }
      case "create": {
        const from = pick(
          (entry) => entry.kind.name === "disk" && entry.kind.reservations.length > 0 && !isVolume(entry),
        );
        if (from === undefined) return undefined;
        const disk = {
          persistence: { id: this.volumes.newId(this.name) },
          volume: { container_path: "data", mode: Volume_Mode.RW },
        };
        return { type: CREATE, create: { volumes: [{ ...part(from, dice), disk }] } };
      }
      case "destroy": {
        const volume = pick(isVolume);
        return volume && { type: DESTROY, destroy: { volumes: [volume] } };
      }
      case "grow": {
        const volume = pick(isVolume);
        const kind = volume && Resources.of([volume]).entries[0]?.kind;
        const from =
          kind &&
          pick(
            (entry) =>
              entry.kind.name === "disk" &&
              !isVolume(entry) &&
              isDeepStrictEqual(entry.kind.reservations, kind.reservations),
          );
        if (from === undefined) return undefined;
        return { type: GROW_VOLUME, grow_volume: { volume, addition: part(from, dice) } };
      }
      case "shrink": {
        const volume = pick(isVolume);
        if (volume === undefined) return undefined;
        const subtract = { value: 16 * (1 + dice.below(8)) };
        return { type: SHRINK_VOLUME, shrink_volume: { volume, subtract } };
      }
    }
  }

  private write(operation: Offer_Operation, agentId: string): Offer_Operation {
    const type = operation.type!;
    const [one] = operation.create?.volumes ?? operation.destroy?.volumes ?? [];
    const volume = one?.disk?.persistence?.id;
    if (type === DESTROY && volume !== undefined) this.volumes.mayGo(volume);
    if (type === CREATE && volume !== undefined) this.volumes.place(volume, agentId);
    // Without an id, nobody receives feedback.
    if (this.world.dice.chance(0.15)) return operation;
    const id = `${this.name}-o${++this.next}`;
    this.records.set(id, {
      id,
      agentId,
      type,
      volume,
      state: OperationState.OPERATION_PENDING,
      end: undefined,
      acknowledged: false,
    });
    return { ...operation, id: { value: id } };
  }

  /** A status update arrives. Returns its operation. */
  hear({
    operation_id,
    state = OperationState.OPERATION_UNKNOWN,
    message,
    uuid,
  }: OperationStatus): OperationRecord | undefined {
    const { world } = this;
    const id = operation_id?.value ?? "";
    const name = OperationState[state];
    const key = uuid?.value === undefined ? "" : ` ${Buffer.from(uuid.value).toString("hex").slice(0, 6)}`;
    world.note(`${this.name} hears ${id} ${name}${key} (${message ?? ""})`);
    // When asked for all operations, masters also report those without an id, as Mesos's do.
    if (id === "" && uuid === undefined) return undefined;
    const record = this.records.get(id);
    if (record === undefined) {
      world.violate("a status is of an operation that was asked for", `${this.name} hears of '${id}'`);
      return undefined;
    }
    record.state = state;
    if (!isTerminalOperation(state)) return record;
    if (record.end !== undefined && record.end !== state && state !== OPERATION_GONE_BY_OPERATOR) {
      const detail = `${id} is ${name} after it was ${OperationState[record.end]}`;
      world.violate("an operation ends once", detail);
    }
    record.end = state;
    if (state === OperationState.OPERATION_FINISHED && record.volume !== undefined) {
      if (record.type === CREATE) this.volumes.made(record.volume);
      else this.volumes.gone(record.volume);
    }
    return record;
  }

  /** They are another framework's from now on. */
  forget(): void {
    this.records.clear();
  }

  /** Operations that may have ended without the framework knowing. */
  open(): OperationRecord[] {
    return [...this.records.values()].filter(
      ({ state, end }) => end === undefined && state !== OperationState.OPERATION_UNKNOWN,
    );
  }
}

const isScalar = ({ kind }: ResourceEntry): boolean => kind.type === Value_Type.SCALAR;

/** Part or all of a resource. */
function part(resource: Resource, dice: Dice): Resource {
  const [unit, most] = resource.name === "cpus" ? [0.1, 10] : [32, 16];
  const value = Math.min(unit * (1 + dice.below(most)), resource.scalar?.value ?? 0);
  return { ...resource, scalar: { value: Math.round(value * 1000) / 1000 } };
}
