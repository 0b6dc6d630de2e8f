import { expect } from "chai";
import {
  Resource_DiskInfo_Source_Type as DiskSourceType,
  Resource_ReservationInfo_Type as ReservationType,
  type Resource,
  Value_Type,
} from "../../../proto/gen/mesos/v1/mesos.js";
import { validateResource, validateResources } from "../../../sdk/resources/index.js";
import { disk, dynamic, fixed, ranges, scalar, set, volume } from "./build.js";

const labels = (key: string) => ({ labels: [{ key, value: "v" }] });

describe("validateResource", () => {
  const good: [string, Resource][] = [
    ["a scalar", scalar("cpus", 0.5)],
    ["zero", scalar("cpus", 0)],
    ["no ranges", ranges("ports", [])],
    [
      "unsorted ranges",
      ranges("ports", [
        [5, 6],
        [1, 2],
      ]),
    ],
    ["an empty set", set("zones", [])],
    ["the old unreserved form", scalar("cpus", 1, { role: "*" })],
    ["the old static form", scalar("cpus", 1, { role: "ads" })],
    ["the old dynamic form", scalar("cpus", 1, { role: "ads", reservation: { principal: "bob" } })],
    ["a refined reservation", scalar("cpus", 1, { reservations: [fixed("ads"), dynamic("ads/web")] })],
    ["the endpoint form", scalar("cpus", 1, { role: "ads", reservations: [fixed("ads")] })],
    [
      "the dynamic endpoint form",
      scalar("cpus", 1, {
        role: "ads",
        reservation: { labels: labels("a") },
        reservations: [dynamic("ads", { labels: labels("a") })],
      }),
    ],
    ["a shared volume", volume({ size: 1, shared: true })],
    ["a path disk without a root", disk(1, DiskSourceType.PATH)],
    ["a raw disk", disk(1, DiskSourceType.RAW, { id: "x" })],
  ];
  for (const [what, message] of good) {
    it(`accepts ${what}`, () => {
      expect(validateResource(message)).to.equal(undefined);
    });
  }

  const reserved = (...reservations: Resource["reservations"]): Resource =>
    scalar("cpus", 1, { reservations });
  const both = (more: Partial<Resource>): Resource => ({
    ...reserved(dynamic("ads", { principal: "bob", labels: labels("a") })),
    ...more,
  });
  const bad: [string, Resource][] = [
    ["Empty resource name", scalar("", 1)],
    ["Invalid resource type", { ...scalar("cpus", 1), type: undefined }],
    ["Invalid resource type", { ...scalar("cpus", 1), type: Value_Type.UNRECOGNIZED }],
    ["Unsupported resource type", { ...scalar("cpus", 1), type: Value_Type.TEXT }],
    ["Invalid scalar resource", { ...scalar("cpus", 1), set: { item: [] } }],
    ["Invalid scalar resource", { ...scalar("cpus", 1), scalar: undefined }],
    ["Invalid scalar resource: value <= 0", scalar("cpus", -1)],
    ["Invalid scalar resource: value <= 0", scalar("cpus", 0.00001)],
    ["Invalid scalar resource: value <= 0", scalar("cpus", Number.NaN)],
    ["Invalid scalar resource: value <= 0", scalar("cpus", Number.POSITIVE_INFINITY)],
    ["Invalid scalar resource: value too large", scalar("cpus", 1e15)],
    ["Invalid ranges resource", { ...ranges("ports", []), scalar: { value: 1 } }],
    ["Invalid ranges resource: begin > end", ranges("ports", [[2, 1]])],
    [
      "Invalid ranges resource: overlapping ranges",
      ranges("ports", [
        [5, 9],
        [1, 5],
      ]),
    ],
    ["Invalid ranges resource: number out of range", ranges("ports", [[-1, 5]])],
    ["Invalid ranges resource: number out of range", ranges("ports", [[0, 2 ** 60]])],
    ["Invalid set resource", { ...set("zones", []), ranges: { range: [] } }],
    ["Invalid set resource: duplicated elements", set("zones", ["a", "b", "a"])],
    ["DiskInfo should not be set for mem resource", { ...disk(1, DiskSourceType.PATH), name: "mem" }],
    ["Mount should not be set for RAW disk source", disk(1, DiskSourceType.RAW, { mount: {} })],
    ["Path should not be set for BLOCK disk source", disk(1, DiskSourceType.BLOCK, { path: {} })],
    ["Unsupported 'DiskInfo.Source.Type' in 'UNKNOWN'", disk(1, DiskSourceType.UNKNOWN)],
    ["Unsupported 'DiskInfo.Source.Type' in 'UNKNOWN'", disk(1, DiskSourceType.UNRECOGNIZED)],
    ["Role '/a' cannot start with a slash", scalar("cpus", 1, { role: "/a" })],
    [
      "'Resource.ReservationInfo.type' must not be set for the 'Resource.reservation' field",
      scalar("cpus", 1, { role: "ads", reservation: { type: ReservationType.DYNAMIC } }),
    ],
    [
      "'Resource.ReservationInfo.role' must not be set for the 'Resource.reservation' field",
      scalar("cpus", 1, { role: "ads", reservation: { role: "ads" } }),
    ],
    ['Invalid reservation: role "*" cannot be dynamically reserved', scalar("cpus", 1, { reservation: {} })],
    ["Invalid reservation: 'Resource.ReservationInfo.type' field must be set.", reserved({ role: "ads" })],
    [
      "Invalid reservation: 'Resource.ReservationInfo.role' field must be set.",
      reserved({ type: ReservationType.STATIC }),
    ],
    ["Role component 'a b' is invalid because it contains backspace or whitespace", reserved(fixed("a b"))],
    ['Invalid reservation: role "*" cannot be reserved', reserved(fixed("*"))],
    [
      "Invalid refined reservation: A refined reservation cannot be STATIC",
      reserved(fixed("ads"), fixed("ads/web")),
    ],
    [
      "Invalid refined reservation: role 'dev' is not a refinement of 'ads'",
      reserved(fixed("ads"), dynamic("dev")),
    ],
    [
      "Invalid refined reservation: role 'ads' is not a refinement of 'ads'",
      reserved(fixed("ads"), dynamic("ads")),
    ],
    ["Unsupported 'Resource.ReservationInfo.Type'", reserved({ type: ReservationType.UNKNOWN, role: "ads" })],
    [
      "Invalid resource format: 'Resource.role' field with 'dev' does not match the role 'ads' in 'Resource.reservations'",
      { ...reserved(fixed("ads")), role: "dev" },
    ],
    [
      "Invalid resource format: 'Resource.reservation' must not be set if the single reservation in 'Resource.reservations' is STATIC",
      { ...reserved(fixed("ads")), role: "ads", reservation: {} },
    ],
    [
      "Invalid resource format: 'Resource.role' and 'Resource.reservation' must either be both set or both not set if the single reservation in 'Resource.reservations' is DYNAMIC",
      both({ role: "ads" }),
    ],
    [
      "Invalid resource format: 'Resource.reservation.principal' field with '' does not match the principal 'bob' in 'Resource.reservations'",
      both({ role: "ads", reservation: {} }),
    ],
    [
      "Invalid resource format: 'Resource.reservation.labels' field with '{b: v}' does not match the labels '{a: v}' in 'Resource.reservations'",
      both({ role: "ads", reservation: { principal: "bob", labels: labels("b") } }),
    ],
    [
      "Invalid resource format: 'Resource.role' must not be set if there is more than one reservation in 'Resource.reservations'",
      { ...reserved(fixed("ads"), dynamic("ads/web")), role: "ads/web" },
    ],
    [
      "Invalid resource format: 'Resource.reservation' must not be set if there is more than one reservation in 'Resource.reservations'",
      { ...reserved(fixed("ads"), dynamic("ads/web")), reservation: {} },
    ],
    ["Resource cpus cannot be shared", scalar("cpus", 1, { shared: {} })],
    ["Only persistent volumes can be shared", scalar("disk", 1, { shared: {} })],
  ];
  for (const [text, message] of bad) {
    it(`says: ${text}`, () => {
      expect(validateResource(message)).to.equal(text);
    });
  }

  it("names the bad one of a list", () => {
    expect(validateResources([scalar("cpus", 1), ranges("ports", [[2, 1]], { role: "ads" })])).to.equal(
      "Resource 'ports(reservations: [(STATIC,ads)]):[2-1]' is invalid: Invalid ranges resource: begin > end",
    );
    expect(validateResources([scalar("cpus", 1)])).to.equal(undefined);
  });
});
