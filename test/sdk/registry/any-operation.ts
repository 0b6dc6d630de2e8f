import fc from "fast-check";
import { AgentInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import type { RegistryOperation } from "../../../sdk/contracts/registry.js";

const agentId = fc.constantFrom("a", "b", "c", "d").map((value) => ({ value }));
const agent = fc
  .record({ id: agentId, hostname: fc.constantFrom("h1", "h2") })
  .map((info) => AgentInfo.fromPartial(info));

const role = fc.constantFrom("dev", "ops");
const amounts = fc.dictionary(
  fc.constantFrom("cpus", "mem"),
  fc.integer({ min: 0, max: 9 }).map((value) => ({ value })),
);

const time = fc.bigInt(0n, 1_795_333_264_444_141_000n).map((nanoseconds) => ({ nanoseconds }));
const machine = fc.constantFrom(
  { hostname: "h1", ip: "10.0.0.1" },
  { hostname: "H1", ip: "10.0.0.1" },
  { hostname: "h2" },
  { ip: "10.0.0.3" },
);
const machines = fc.array(machine, { maxLength: 3 });
const window = fc.record({ machine_ids: machines, unavailability: fc.record({ start: time }) });

/** Operations over few agents, so that they meet. */
export const anyOperation: fc.Arbitrary<RegistryOperation> = fc.oneof(
  agent.map((info): RegistryOperation => ({ kind: "admit-agent", agent: info })),
  agent.map((info): RegistryOperation => ({ kind: "update-agent", agent: info })),
  agent.map((info): RegistryOperation => ({ kind: "mark-agent-reachable", agent: info })),
  fc.tuple(agentId, fc.bigInt(0n, 1_795_333_264_444_141_000n)).map(
    ([id, nanoseconds]): RegistryOperation => ({
      kind: "mark-agent-unreachable",
      agentId: id,
      time: { nanoseconds },
    }),
  ),
  agentId.map((id): RegistryOperation => ({ kind: "remove-agent", agentId: id })),
  fc
    .tuple(agentId, time)
    .map(([id, now]): RegistryOperation => ({ kind: "mark-agent-gone", agentId: id, time: now })),
  fc.tuple(agentId, fc.boolean(), fc.option(time, { nil: undefined })).map(
    ([id, mark_gone, max_grace_period]): RegistryOperation => ({
      kind: "drain-agent",
      agentId: id,
      config: { mark_gone, max_grace_period },
    }),
  ),
  fc
    .tuple(agentId, fc.constantFrom("mark-agent-drained", "deactivate-agent", "reactivate-agent"))
    .map(([id, kind]): RegistryOperation => ({ kind, agentId: id })),
  fc
    .array(window, { maxLength: 2 })
    .map((windows): RegistryOperation => ({ kind: "update-maintenance-schedule", schedule: { windows } })),
  fc
    .tuple(machines, fc.constantFrom("start-maintenance", "stop-maintenance"))
    .map(([ids, kind]): RegistryOperation => ({ kind, machines: ids })),
  fc
    .array(fc.record({ role, weight: fc.integer({ min: 1, max: 9 }) }))
    .map((weights): RegistryOperation => ({ kind: "update-weights", weights })),
  fc
    .array(fc.record({ role, guarantees: amounts, limits: amounts }))
    .map((configs): RegistryOperation => ({ kind: "update-quotas", configs })),
  fc
    .tuple(fc.array(agentId), fc.array(agentId))
    .map(([unreachable, gone]): RegistryOperation => ({ kind: "prune", unreachable, gone })),
);
