import { expect } from "chai";
import fc from "fast-check";
import {
  type Offer_Operation,
  Offer_Operation_Type as OperationType,
  Resource_ReservationInfo_Type as ReservationType,
} from "../../../proto/gen/mesos/v1/mesos.js";
import {
  applyCheckpointed,
  applyOperation,
  convertResources,
  mapOperationResources,
  needsCheckpoint,
  parseResources,
  Resources,
  type Result,
} from "../../../sdk/resources/index.js";

const AMOUNTS = fc.record({
  cpus: fc.integer({ min: 1, max: 8 }),
  mem: fc.integer({ min: 1, max: 64 }),
  disk: fc.integer({ min: 4, max: 64 }),
});

const ROLES = ["dev", "dev/web", "dev/web/eu"];

/** A step of a random walk over what an agent has: what is there is reserved, given back, made a volume and so on. */
type Step = { readonly type: OperationType; readonly pick: number; readonly part: number };

const STEPS = fc.array(
  fc.record({
    type: fc.constantFrom(
      OperationType.RESERVE,
      OperationType.UNRESERVE,
      OperationType.CREATE,
      OperationType.DESTROY,
      OperationType.GROW_VOLUME,
      OperationType.SHRINK_VOLUME,
    ),
    pick: fc.nat(20),
    part: fc.integer({ min: 1, max: 8 }),
  }),
  { maxLength: 25 },
);

function host({ cpus, mem, disk }: { cpus: number; mem: number; disk: number }): Resources {
  const parsed = parseResources(`cpus:${cpus};mem:${mem};disk:${disk};ports:[1-9]`);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

let volumes = 0;

/** A valid operation for what is there; undefined where there is nothing for it. */
function operationFor(total: Resources, { type, pick, part }: Step): Offer_Operation | undefined {
  const chosen = (fits: Resources): Resources | undefined =>
    fits.isEmpty ? undefined : Resources.fromEntries([fits.entries[pick % fits.size]!]);
  const scalars = total.scalars().filter(({ kind }) => !kind.persistentVolume);
  const some = (from: Resources | undefined) =>
    from?.mapEntries((entry) => entry.withMilli(Math.min(entry.milli, part * 1000)));
  switch (type) {
    case OperationType.RESERVE: {
      const deeper = some(chosen(scalars.filter(({ kind }) => kind.reservations.length < ROLES.length)));
      const reserved = deeper?.mapEntries((entry) => {
        const { reservations } = entry.kind;
        const role = ROLES[reservations.length]!;
        const stack = [...reservations, { type: ReservationType.DYNAMIC, role, principal: "p" }];
        return entry.withKind(entry.kind.with({ reservations: stack }));
      });
      return reserved && { type, reserve: { source: [], resources: reserved.toMessages() } };
    }
    case OperationType.UNRESERVE: {
      const given = some(chosen(scalars.reserved()));
      return given && { type, unreserve: { resources: given.toMessages() } };
    }
    case OperationType.CREATE: {
      const space = some(chosen(scalars.reserved().named("disk")));
      const made = space?.toMessages().map((message) => ({
        ...message,
        disk: { persistence: { id: `v${++volumes}` }, volume: { container_path: "d", mode: 1 } },
        ...(part === 1 ? { shared: {} } : {}),
      }));
      return made && { type, create: { volumes: made } };
    }
    case OperationType.DESTROY: {
      const doomed = chosen(total.persistentVolumes());
      return doomed && { type, destroy: { volumes: doomed.toMessages() } };
    }
    default: {
      const volume = chosen(total.persistentVolumes().nonShared());
      if (volume === undefined) return undefined;
      const [entry] = volume.entries;
      const [message] = volume.toMessages();
      if (type === OperationType.SHRINK_VOLUME) {
        if (entry!.milli <= 1000) return undefined;
        return { type, shrink_volume: { volume: message, subtract: { value: 1 } } };
      }
      const space = scalars.filter(
        ({ kind }) => kind.name === "disk" && kind.reservationRole === entry!.kind.reservationRole,
      );
      const addition = some(chosen(space))?.toMessages()[0];
      return addition && { type, grow_volume: { volume: message, addition } };
    }
  }
}

const must = <T>(result: Result<T>): T => {
  if (!result.ok) throw new Error(result.error);
  return result.value;
};

/** Every total on the way, the first one included. */
function walk(start: Resources, steps: readonly Step[]): Resources[] {
  const totals = [start];
  for (const step of steps) {
    const total = totals.at(-1)!;
    const operation = operationFor(total, step);
    if (operation !== undefined) totals.push(must(applyOperation(total, operation)));
  }
  return totals;
}

describe("offer operations", () => {
  it("never make resources out of nothing, nor lose any", () => {
    fc.assert(
      fc.property(AMOUNTS, STEPS, (amounts, steps) => {
        const start = host(amounts);
        for (const total of walk(start, steps)) {
          for (const name of ["cpus", "mem", "disk"]) expect(total.milli(name)).to.equal(start.milli(name));
          expect(total.ranges("ports")).to.deep.equal(start.ranges("ports"));
        }
      }),
    );
  });

  it("can be told by what has to be remembered, in every format", () => {
    fc.assert(
      fc.property(AMOUNTS, STEPS, (amounts, steps) => {
        const start = host(amounts);
        for (const total of walk(start, steps)) {
          const messages = total.filter(needsCheckpoint).toMessages();
          for (const format of ["post-refinement", "pre-refinement", "endpoint"] as const) {
            const saved = Resources.of(convertResources(messages, format));
            expect(must(applyCheckpointed(start, saved)).equals(total)).to.equal(true);
          }
        }
      }),
    );
  });

  it("can be undone step by step", () => {
    fc.assert(
      fc.property(AMOUNTS, STEPS, (amounts, steps) => {
        const start = host(amounts);
        let total = walk(start, steps).at(-1)!;
        const destroyed = total.persistentVolumes();
        total = must(
          applyOperation(total, {
            type: OperationType.DESTROY,
            destroy: { volumes: destroyed.toMessages() },
          }),
        );
        for (let depth = 0; depth < ROLES.length; depth++) {
          const resources = total.reserved().toMessages();
          total = must(applyOperation(total, { type: OperationType.UNRESERVE, unreserve: { resources } }));
        }
        expect(total.equals(start)).to.equal(true);
      }),
    );
  });

  it("do to allocated resources what they do to others", () => {
    fc.assert(
      fc.property(AMOUNTS, STEPS, (amounts, steps) => {
        const totals = walk(host(amounts), steps);
        for (const [index, step] of steps.entries()) {
          const total = totals[index % totals.length]!;
          const operation = operationFor(total, step);
          if (operation === undefined) continue;
          const allocated = mapOperationResources(operation, (message) => ({
            ...message,
            allocation_info: { role: "dev" },
          }));
          const plain = must(applyOperation(total, operation));
          expect(
            must(applyOperation(total.allocate("dev"), allocated))
              .unallocate()
              .equals(plain),
          ).to.equal(true);
        }
      }),
    );
  });
});
