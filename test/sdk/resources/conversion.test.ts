import { expect } from "chai";
import {
  Resource_DiskInfo_Source_Type as DiskSourceType,
  type Offer_Operation,
  Offer_Operation_Type as OperationType,
} from "../../../proto/gen/mesos/v1/mesos.js";
import {
  applyCheckpointed,
  applyOperation,
  needsCheckpoint,
  popReservation,
  pushReservation,
  type Resources,
  type Result,
} from "../../../sdk/resources/index.js";
import { dynamic, fixed, mountDisk, of, resources, scalar, unwrap, volume } from "./build.js";

const apply = (total: Resources, operation: Offer_Operation): Result<Resources> =>
  applyOperation(total, operation);
const errorOf = (result: Result<unknown>): string | undefined => (result.ok ? undefined : result.error);
const same = (left: Resources, right: Resources): void => {
  expect(left.equals(right), `${left}\n${right}`).to.equal(true);
};

describe("offer operations", () => {
  const reserved = scalar("cpus", 2, { reservations: [dynamic("ads", { principal: "bob" })] });
  const freeDisk = scalar("disk", 10, { reservations: [dynamic("ads")] });

  it("reserve and unreserve", () => {
    const total = resources("cpus:8;mem:10");
    const after = unwrap(
      apply(total, { type: OperationType.RESERVE, reserve: { source: [], resources: [reserved] } }),
    );
    same(after, resources("cpus:6;mem:10").add(of(reserved)));
    same(
      unwrap(apply(after, { type: OperationType.UNRESERVE, unreserve: { resources: [reserved] } })),
      total,
    );
  });

  it("reserve from a named source", () => {
    const source = scalar("cpus", 1, { reservations: [dynamic("dev")] });
    const target = scalar("cpus", 1, { reservations: [dynamic("ads")] });
    const operation = { type: OperationType.RESERVE, reserve: { source: [source], resources: [target] } };
    same(unwrap(apply(of(source), operation)), of(target));
  });

  it("refine a reservation by one level", () => {
    const pushed = unwrap(
      pushReservation(of(scalar("cpus", 1, { reservations: [fixed("ads")] })), dynamic("ads/web")),
    );
    expect(pushed.reserved("ads/web").cpus).to.equal(1);
    expect(popReservation(pushed).reserved("ads").cpus).to.equal(1);
    expect(popReservation(resources("cpus:1")).cpus).to.equal(1);
    expect(errorOf(pushReservation(pushed, dynamic("dev")))).to.equal(
      "Invalid refined reservation: role 'dev' is not a refinement of 'ads/web'",
    );
  });

  it("create and destroy volumes", () => {
    const made = volume({ size: 4 });
    const total = of(freeDisk);
    const after = unwrap(apply(total, { type: OperationType.CREATE, create: { volumes: [made] } }));
    same(after, of(scalar("disk", 6, { reservations: [dynamic("ads")] }), made));
    same(unwrap(apply(after, { type: OperationType.DESTROY, destroy: { volumes: [made] } })), total);
  });

  it("create volumes from whole disks only", () => {
    const mount = { ...mountDisk(10, "/m"), reservations: [dynamic("ads")] };
    const source = mount.disk?.source;
    const create = (size: number) => ({
      type: OperationType.CREATE,
      create: { volumes: [volume({ size, source })] },
    });
    expect(unwrap(apply(of(mount), create(10))).persistentVolumes().disk).to.equal(10);
    expect(errorOf(apply(of(mount), create(4)))).to.match(/ does not contain disk/);
  });

  it("do not destroy a volume that is held twice", () => {
    const shared = volume({ size: 4, shared: true });
    const destroy = { type: OperationType.DESTROY, destroy: { volumes: [shared] } };
    expect(errorOf(apply(of(shared, shared), destroy))).to.match(
      /^Persistent volume disk.* cannot be removed due to additional shared copies$/,
    );
    same(unwrap(apply(of(shared), destroy)), of(scalar("disk", 4, { reservations: [dynamic("ads")] })));
  });

  it("grow and shrink volumes", () => {
    const total = of(volume({ size: 4 }), freeDisk);
    const addition = scalar("disk", 3, { reservations: [dynamic("ads")] });
    const grown = unwrap(
      apply(total, {
        type: OperationType.GROW_VOLUME,
        grow_volume: { volume: volume({ size: 4 }), addition },
      }),
    );
    same(grown, of(volume({ size: 7 }), scalar("disk", 7, { reservations: [dynamic("ads")] })));
    const shrunk = apply(grown, {
      type: OperationType.SHRINK_VOLUME,
      shrink_volume: { volume: volume({ size: 7 }), subtract: { value: 3 } },
    });
    same(unwrap(shrunk), total);
  });

  it("say what they cannot do", () => {
    const provided = { ...volume({ size: 1 }), provider_id: { value: "p" } };
    const errors: [Offer_Operation, string][] = [
      [{ type: OperationType.LAUNCH }, "Cannot get conversions: Operation not supported"],
      [{ type: OperationType.CREATE_DISK }, "Cannot get conversions: Operation not supported"],
      [{ type: OperationType.UNKNOWN }, "Cannot get conversions: Unknown operation"],
      [
        { type: OperationType.SHRINK_VOLUME, shrink_volume: { volume: provided, subtract: { value: 1 } } },
        "Cannot get conversions: Operation not supported for resource provider",
      ],
      [
        { type: OperationType.GROW_VOLUME, grow_volume: { volume: provided, addition: freeDisk } },
        "Cannot get conversions: Operation not supported for resource provider",
      ],
      [
        { type: OperationType.RESERVE, reserve: { source: [], resources: [reserved] } },
        "cpus:1; mem:10 does not contain cpus:2",
      ],
    ];
    for (const [operation, text] of errors) {
      expect(errorOf(apply(resources("cpus:1;mem:10"), operation))).to.equal(text);
    }
  });
});

describe("checkpointed resources", () => {
  it("are the dynamic reservations and the volumes", () => {
    const total = of(
      scalar("cpus", 1, { reservations: [fixed("ads")] }),
      scalar("mem", 1, { reservations: [fixed("ads"), dynamic("ads/web")] }),
      volume({ size: 1 }),
      { ...volume({ size: 2 }), provider_id: { value: "p" } },
    );
    expect(String(total.filter(needsCheckpoint))).to.equal(
      "mem(reservations: [(STATIC,ads),(DYNAMIC,ads/web)]):1; disk(reservations: [(DYNAMIC,ads)])[id1:data]:1",
    );
  });

  it("are put back into what the host has", () => {
    const total = unwrap(
      applyCheckpointed(
        resources("cpus:4;mem(ads):8;disk:10").add(of(mountDisk(5, "/m"))),
        of(
          scalar("cpus", 1, { reservations: [dynamic("ads")] }),
          scalar("mem", 2, { reservations: [fixed("ads"), dynamic("ads/web")] }),
          volume({ size: 3, shared: true }),
          volume({ size: 5, id: "id2", source: { type: DiskSourceType.MOUNT, mount: { root: "/m" } } }),
        ),
      ),
    );
    expect(total.unreserved().cpus).to.equal(3);
    expect(total.reserved("ads/web").mem).to.equal(2);
    expect(total.unreserved().disk).to.equal(7);
    expect(total.persistentVolumes().disk).to.equal(8);
  });

  it("do not fit a host that shrank", () => {
    expect(errorOf(applyCheckpointed(resources("disk:2"), of(volume({ size: 3 }))))).to.equal(
      "Incompatible agent resources: disk:2 does not contain disk:3",
    );
    expect(errorOf(applyCheckpointed(resources("cpus:2"), resources("cpus:1")))).to.equal(
      "Unexpected checkpointed resources cpus:1",
    );
  });
});
