import { expect } from "chai";
import {
  Resource_DiskInfo_Source_Type as DiskSourceType,
  type Resource,
  Volume_Mode,
} from "../../../proto/gen/mesos/v1/mesos.js";
import {
  haveOverlap,
  validatePersistentVolumes,
  validateRevocableUse,
  validateSingleAllocationRole,
  validateSingleProvider,
  validateUniquePersistenceIds,
  validateUsedResources,
} from "../../../sdk/resources/index.js";
import { disk, dynamic, of, pathDisk, resources, scalar, volume } from "./build.js";

/** A volume with something else about its disk. */
const withDisk = (change: Partial<NonNullable<Resource["disk"]>>, more: Partial<Resource> = {}): Resource => {
  const message = volume({ size: 1 });
  return { ...message, disk: { ...message.disk, ...change }, ...more };
};

describe("rules for used resources", () => {
  it("accept what tasks use", () => {
    expect(
      validateUsedResources([scalar("cpus", 0.1), scalar("gpus", 2), volume({ size: 1 }), pathDisk(1, "/a")]),
    ).to.equal(undefined);
  });

  const bad: [string, Resource][] = [
    [
      "Invalid resources: Resource 'cpus:-1' is invalid: Invalid scalar resource: value <= 0",
      scalar("cpus", -1),
    ],
    ["Invalid 'gpus' resource: The 'gpus' resource must be an unsigned integer", scalar("gpus", 0.5)],
    [
      "Invalid DiskInfo: Persistent volumes cannot be created from revocable resources",
      withDisk({}, { revocable: {} }),
    ],
    [
      "Invalid DiskInfo: Persistent volumes cannot be created from unreserved resources",
      withDisk({}, { reservations: [] }),
    ],
    ["Invalid DiskInfo: Expecting 'volume' to be set for persistent volume", withDisk({ volume: undefined })],
    [
      "Invalid DiskInfo: Expecting 'host_path' to be unset for persistent volume",
      withDisk({ volume: { container_path: "a", host_path: "/b", mode: Volume_Mode.RW } }),
    ],
    [
      "Invalid DiskInfo: Invalid persistence ID for persistent volume: 'a/b' contains invalid characters",
      withDisk({ persistence: { id: "a/b" } }),
    ],
    ["Invalid DiskInfo: Non-persistent volume not supported", withDisk({ persistence: undefined })],
    ["Invalid DiskInfo: DiskInfo is set but empty", withDisk({ persistence: undefined, volume: undefined })],
    [
      "Invalid ReservationInfo: Dynamically reserved resource cpus(reservations: [(DYNAMIC,ads)]){REV}:1 cannot be created from revocable resources",
      scalar("cpus", 1, { reservations: [dynamic("ads")], revocable: {} }),
    ],
  ];
  for (const [text, message] of bad) {
    it(`say: ${text}`, () => {
      expect(validateUsedResources([message])).to.equal(text);
    });
  }

  it("allow a persistence id once for each role", () => {
    const twice = of(volume({ size: 1 }), volume({ size: 2 }));
    expect(validateUniquePersistenceIds(twice)).to.equal("Persistence ID 'id1' is not unique");
    const roles = of(volume({ size: 1 }), volume({ size: 2, role: "dev" }), volume({ size: 1, id: "id2" }));
    expect(validateUniquePersistenceIds(roles)).to.equal(undefined);
  });

  it("keep revocable and other resources of a name apart", () => {
    const mixed = of(scalar("cpus", 1), scalar("cpus", 1, { revocable: {} }));
    expect(validateRevocableUse(mixed)).to.equal(
      "Cannot use both revocable and non-revocable 'cpus' at the same time",
    );
    expect(validateRevocableUse(of(scalar("mem", 1), scalar("cpus", 1, { revocable: {} })))).to.equal(
      undefined,
    );
  });

  it("want one allocation role", () => {
    expect(validateSingleAllocationRole(resources("cpus:1"))).to.equal(
      "The resources are not allocated to a role",
    );
    const two = resources("cpus:1").allocate("ads").add(resources("mem:1").allocate("dev"));
    expect(validateSingleAllocationRole(two)).to.equal(
      "The resources have multiple allocation roles ('dev' and 'ads') but only one allocation role is allowed",
    );
    expect(validateSingleAllocationRole(resources("cpus:1;mem:1").allocate("ads"))).to.equal(undefined);
  });

  it("want one provider", () => {
    const from = (id: string) => scalar("cpus", 1, { provider_id: { value: id } });
    expect(validateSingleProvider([from("a"), from("a")])).to.equal(undefined);
    expect(validateSingleProvider([scalar("cpus", 1)])).to.equal(undefined);
    expect(validateSingleProvider([from("a"), scalar("cpus", 1)])).to.equal(
      "Some resources have a resource provider and some do not",
    );
    expect(validateSingleProvider([from("a"), from("b")])).to.equal(
      "The resources have multiple resource providers: a, b",
    );
  });

  it("want persistent volumes where an operation makes or removes them", () => {
    expect(validatePersistentVolumes([volume({ size: 1 })])).to.equal(undefined);
    expect(validatePersistentVolumes([scalar("disk", 1)])).to.equal("Resource disk:1 does not have DiskInfo");
    expect(validatePersistentVolumes([disk(1, DiskSourceType.RAW)])).to.equal(
      "'persistence' is not set in DiskInfo",
    );
    expect(validatePersistentVolumes([withDisk({ volume: undefined })])).to.equal(
      "Expecting 'volume' to be set for persistent volume",
    );
    expect(
      validatePersistentVolumes([withDisk({ volume: { container_path: "a", mode: Volume_Mode.RO } })]),
    ).to.equal("Read-only persistent volume not supported");
  });

  it("find ports and set items that two bundles name", () => {
    expect(haveOverlap([resources("cpus:1;ports:[1-5]"), resources("cpus:1;ports:[6-9]")])).to.equal(false);
    expect(haveOverlap([resources("ports:[1-5]"), resources("ports:[5-9]")])).to.equal(true);
    expect(haveOverlap([resources("zones:{a}"), resources("zones:{a,b}")])).to.equal(true);
    const shared = of(volume({ size: 1, shared: true }));
    expect(haveOverlap([shared, shared])).to.equal(false);
  });
});
