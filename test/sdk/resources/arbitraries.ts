import fc from "fast-check";
import {
  Resource_DiskInfo_Source_Type as DiskSourceType,
  type Resource,
  type Resource_ReservationInfo,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { Resources } from "../../../sdk/resources/index.js";
import { disk, dynamic, fixed, mountDisk, pathDisk, ranges, scalar, set, unwrap, volume } from "./build.js";

const role = fc.constantFrom("ads", "ads/web", "dev");

/** A disjoint list of ranges, in any order. */
const rangeList = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 10 }).map((numbers) => {
  const sorted = [...numbers].sort((left, right) => left - right);
  const list: [number, number][] = [];
  for (let i = 0; i + 1 < sorted.length; i += 2) list.push([sorted[i]!, sorted[i + 1]!]);
  return list.reverse();
});

const amounts: fc.Arbitrary<Resource> = fc.oneof(
  fc
    .tuple(fc.constantFrom("cpus", "mem", "disk", "gpus", "widgets"), fc.integer({ min: 0, max: 5000 }))
    .map(([name, milli]) => scalar(name, milli / 1000)),
  rangeList.map((list) => ranges("ports", list)),
  fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { maxLength: 4 }).map((items) => set("zones", items)),
);

const reservations: fc.Arbitrary<Resource_ReservationInfo[]> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Resource_ReservationInfo[]>([]) },
  role.map((name) => [fixed(name)]),
  fc
    .tuple(role, fc.constantFrom(undefined, "bob"))
    .map(([name, principal]) => [dynamic(name, principal === undefined ? {} : { principal })]),
  fc.constant<Resource_ReservationInfo[]>([fixed("ads"), dynamic("ads/web")]),
  fc
    .constantFrom(["x", "y"], ["y", "x"])
    .map((keys) => [dynamic("ads", { labels: { labels: keys.map((key) => ({ key, value: key })) } })]),
);

/** Every kind of divisible resource. */
const divisible: fc.Arbitrary<Resource> = fc
  .tuple(amounts, reservations, fc.option(role, { freq: 3, nil: undefined }), fc.integer({ min: 0, max: 7 }))
  .map(([message, stack, allocation, variety]) => ({
    ...message,
    reservations: stack,
    ...(allocation === undefined ? {} : { allocation_info: { role: allocation } }),
    ...(variety === 0 ? { revocable: {} } : {}),
    ...(variety === 1 ? { provider_id: { value: "p1" } } : {}),
    ...(variety === 2 && message.name === "disk" ? { disk: pathDisk(0, "/data").disk } : {}),
  }));

/** Volumes and disks that come and go as a whole. */
const indivisible: fc.Arbitrary<Resource> = fc.oneof(
  fc
    .record({
      size: fc.integer({ min: 1, max: 3 }),
      id: fc.constantFrom("id1", "id2"),
      path: fc.constantFrom("data", "other"),
      shared: fc.boolean(),
    })
    .map(volume),
  fc
    .tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom("/m1", "/m2"))
    .map(([size, root]) => mountDisk(size, root)),
  fc.integer({ min: 1, max: 3 }).map((size) => disk(size, DiskSourceType.RAW, { id: "raw1" })),
);

export const anyResource: fc.Arbitrary<Resource> = fc.oneof(
  { weight: 3, arbitrary: divisible },
  { weight: 1, arbitrary: indivisible },
);

export const bundle: fc.Arbitrary<Resources> = fc
  .array(anyResource, { maxLength: 8 })
  .map((list) => unwrap(Resources.fromMessages(list)));

/** Ranges and sets make unions, so "what I added can be taken away again" holds only where nothing overlaps. */
export const scalarsOnly: fc.Arbitrary<Resources> = bundle.map((all) => all.scalars());
