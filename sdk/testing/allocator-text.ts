import assert from "node:assert/strict";
import {
  AgentInfo,
  FrameworkInfo_Capability_Type as FrameworkCapability,
  Resource_ReservationInfo_Type as ReservationType,
  Value_Type,
} from "../../proto/gen/mesos/v1/mesos.js";
import { OfferConstraints } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import {
  parseQuantities,
  parseResources,
  type Quantities,
  ResourceEntry,
  ResourceKind,
  Resources,
} from "../resources/index.js";
import type { FrameworkOptions } from "./allocator-world.js";

/** How scenarios write resources, frameworks and agents. */

export function frameworkOptions(options: ReadonlyMap<string, string>): FrameworkOptions {
  const list = (key: string): string[] | undefined =>
    options
      .get(key)
      ?.split(",")
      .filter((one) => one !== "");
  const [leastRole = "", least = ""] = options.get("least")?.split("/") ?? [];
  const constraints = options.get("constraints");
  const plainRole = options.get("role");
  return {
    roles: list("roles") ?? ["*"],
    capabilities: (list("caps") ?? []).map(
      (name) => FrameworkCapability[name as keyof typeof FrameworkCapability],
    ),
    active: !options.has("inactive"),
    suppressed: list("suppressed") ?? [],
    ...(constraints === undefined
      ? {}
      : { constraints: OfferConstraints.fromPartial(JSON.parse(constraints)) }),
    info: {
      ...(plainRole === undefined ? {} : { role: plainRole, roles: [], capabilities: [] }),
      ...(leastRole === "" ? {} : { offer_filters: { [leastRole]: leastOffer(quantities(least)) } }),
    },
  };
}

function leastOffer(least: Quantities) {
  const amounts = Object.fromEntries(Array.from(least, ([name, milli]) => [name, { value: milli / 1000 }]));
  return { min_allocatable_resources: { quantities: least.size === 0 ? [] : [{ quantities: amounts }] } };
}

export function agentInfo(id: string, options: ReadonlyMap<string, string>): AgentInfo {
  const region = options.get("region");
  const rack = options.get("rack");
  return AgentInfo.fromPartial({
    id: { value: id },
    hostname: `${id}.example`,
    attributes: rack === undefined ? [] : [{ name: "rack", type: Value_Type.TEXT, text: { value: rack } }],
    ...(region === undefined
      ? {}
      : { domain: { fault_domain: { region: { name: region }, zone: { name: "z" } } } }),
  });
}

export function usedBy(text: string | undefined): ReadonlyMap<string, Resources> {
  const [framework, role, ...rest] = text?.split(":") ?? [];
  if (framework === undefined || role === undefined) return new Map();
  return new Map([[framework, resources(rest.join(":")).allocate(role)]]);
}

export function unavailability(seconds: string | undefined) {
  return seconds === undefined ? undefined : { start: { nanoseconds: BigInt(seconds) * 1_000_000_000n } };
}

export function quota(options: ReadonlyMap<string, string>) {
  const read = (text: string | undefined): Quantities => {
    const zeros = new Map(
      (text ?? "")
        .split(";")
        .filter((one) => /:0$/.test(one))
        .map((one) => [one.split(":")[0]!, 0]),
    );
    return new Map([...zeros, ...quantities(text ?? "")]);
  };
  return { guarantees: quantities(options.get("guarantee") ?? ""), limits: read(options.get("limit")) };
}

function quantities(text: string): Quantities {
  const parsed = parseQuantities(text);
  assert.ok(parsed.ok, text);
  return parsed.value;
}

export function milliseconds(text: string): number {
  const [, number, unit] = /^([0-9.]+)(ms|s)$/.exec(text) ?? [];
  assert.ok(number !== undefined, text);
  return Number(number) * (unit === "s" ? 1000 : 1);
}

/** @param text without spaces, parts joined by `+` */
export function resources(text: string): Resources {
  return Resources.sum(text.split("+").map(part));
}

function part(text: string): Resources {
  const [, kind, inner = ""] = /^(revocable|volume|shared|dynamic|refined)\((.*)\)$/.exec(text) ?? [];
  switch (kind) {
    case "revocable":
      return resources(inner).mapEntries((entry) => entry.withKind(entry.kind.with({ revocable: true })));
    case "volume":
    case "shared": {
      const [role = "", id = "", mb = ""] = inner.split(",");
      const disk = { persistence: { id, principal: undefined }, volume: { container_path: id, mode: 1 } };
      const reservations = [{ type: ReservationType.STATIC, role }];
      const shape = new ResourceKind({
        name: "disk",
        type: Value_Type.SCALAR,
        reservations,
        disk,
        shared: kind === "shared",
      });
      return Resources.fromEntries([new ResourceEntry(shape, { milli: Number(mb) * 1000 })]);
    }
    case "dynamic":
    case "refined": {
      const [roles = "", amounts = ""] = inner.split(";", 2);
      const reservations = roles.split(",").map((role) => ({ type: ReservationType.DYNAMIC, role }));
      return resources(inner.slice(roles.length + 1) || amounts).mapEntries((entry) =>
        entry.withKind(entry.kind.with({ reservations })),
      );
    }
    default: {
      const parsed = parseResources(text);
      assert.ok(parsed.ok, text);
      return parsed.value;
    }
  }
}
