import {
  Registry,
  Registry_GoneSlave,
  Registry_Machines,
  Registry_UnreachableSlave,
} from "../../proto/gen/mesos/internal/registry.js";
import { Schedule } from "../../proto/gen/mesos/v1/maintenance/maintenance.js";
import { AgentID, AgentInfo, type MachineID, MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { RegistryOperation } from "../contracts/registry.js";

/** The log holds operations, who leads, and now and then a snapshot of everything. */
export type LogRecord =
  | { readonly kind: "snapshot"; readonly state: Registry }
  | { readonly kind: "master"; readonly master: MasterInfo }
  | RegistryOperation;

/** Version of the record format; a reader refuses versions it does not know. */
const VERSION = 1;

/** The number of each kind of record in the log. Never renumber; only add. */
const KINDS = {
  snapshot: 1,
  master: 2,
  "admit-agent": 3,
  "update-agent": 4,
  "mark-agent-unreachable": 5,
  "mark-agent-reachable": 6,
  "remove-agent": 7,
  prune: 8,
  "update-weights": 9,
  "update-quotas": 10,
  "mark-agent-gone": 11,
  "drain-agent": 12,
  "mark-agent-drained": 13,
  "deactivate-agent": 14,
  "reactivate-agent": 15,
  "update-maintenance-schedule": 16,
  "start-maintenance": 17,
  "stop-maintenance": 18,
} as const satisfies Record<LogRecord["kind"], number>;

/** version u8, kind u8, body length u32 le; the body is a protobuf message. */
const HEADER_BYTES = 6;

/** The records of one frame: alternating headers and bodies. */
export function encodeRecords(records: readonly LogRecord[]): Uint8Array[] {
  return records.flatMap((record) => {
    const body = bodyOf(record);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt8(VERSION, 0);
    header.writeUInt8(KINDS[record.kind], 1);
    header.writeUInt32LE(body.length, 2);
    return [header, body];
  });
}

/** Throws an Error that says what cannot be read. The checksum has been verified before, so this is not damage. */
export function decodeRecords(payload: Buffer): LogRecord[] {
  const records: LogRecord[] = [];
  for (let offset = 0; offset < payload.length; ) {
    if (payload.length - offset < HEADER_BYTES) throw new Error("a record is cut short");
    const version = payload.readUInt8(offset);
    if (version !== VERSION) {
      throw new Error(`a record has version ${version}, this program reads version ${VERSION}`);
    }
    const start = offset + HEADER_BYTES;
    const end = start + payload.readUInt32LE(offset + 2);
    if (end > payload.length) throw new Error("a record is longer than its frame");
    records.push(recordOf(payload.readUInt8(offset + 1), payload.subarray(start, end)));
    offset = end;
  }
  return records;
}

function bodyOf(record: LogRecord): Uint8Array {
  switch (record.kind) {
    case "snapshot":
      return Registry.encode(record.state).finish();
    case "master":
      return MasterInfo.encode(record.master).finish();
    case "admit-agent":
    case "update-agent":
    case "mark-agent-reachable":
      return AgentInfo.encode(record.agent).finish();
    case "mark-agent-unreachable":
      return Registry_UnreachableSlave.encode({ id: record.agentId, timestamp: record.time }).finish();
    case "remove-agent":
    case "mark-agent-drained":
    case "deactivate-agent":
    case "reactivate-agent":
      return AgentID.encode(record.agentId).finish();
    case "mark-agent-gone":
      return Registry_GoneSlave.encode({ id: record.agentId, timestamp: record.time }).finish();
    case "drain-agent": {
      const drained = { id: record.agentId, drain_info: { config: record.config } };
      return Registry_UnreachableSlave.encode(Registry_UnreachableSlave.fromPartial(drained)).finish();
    }
    case "update-maintenance-schedule":
      return Schedule.encode(record.schedule).finish();
    case "start-maintenance":
    case "stop-maintenance":
      return Registry_Machines.encode({
        machines: record.machines.map((id) => ({ info: { id } })),
      }).finish();
    case "update-weights":
      return Registry.encode(
        Registry.fromPartial({ weights: record.weights.map((info) => ({ info })) }),
      ).finish();
    case "update-quotas":
      return Registry.encode(Registry.fromPartial({ quota_configs: [...record.configs] })).finish();
    case "prune":
      return Registry.encode(
        Registry.fromPartial({
          unreachable: {
            slaves: record.unreachable.map((id) => Registry_UnreachableSlave.fromPartial({ id })),
          },
          gone: { slaves: record.gone.map((id) => Registry_GoneSlave.fromPartial({ id })) },
        }),
      ).finish();
  }
}

function recordOf(kind: number, body: Buffer): LogRecord {
  switch (kind) {
    case KINDS.snapshot:
      return { kind: "snapshot", state: Registry.decode(body) };
    case KINDS.master:
      return { kind: "master", master: MasterInfo.decode(body) };
    case KINDS["admit-agent"]:
      return { kind: "admit-agent", agent: AgentInfo.decode(body) };
    case KINDS["update-agent"]:
      return { kind: "update-agent", agent: AgentInfo.decode(body) };
    case KINDS["mark-agent-reachable"]:
      return { kind: "mark-agent-reachable", agent: AgentInfo.decode(body) };
    case KINDS["mark-agent-unreachable"]: {
      const { id, timestamp } = Registry_UnreachableSlave.decode(body);
      return { kind: "mark-agent-unreachable", agentId: id ?? {}, time: timestamp ?? {} };
    }
    case KINDS["remove-agent"]:
      return { kind: "remove-agent", agentId: AgentID.decode(body) };
    case KINDS["mark-agent-gone"]: {
      const { id, timestamp } = Registry_GoneSlave.decode(body);
      return { kind: "mark-agent-gone", agentId: id ?? {}, time: timestamp ?? {} };
    }
    case KINDS["drain-agent"]: {
      const { id, drain_info: info } = Registry_UnreachableSlave.decode(body);
      return { kind: "drain-agent", agentId: id ?? {}, config: info?.config ?? {} };
    }
    case KINDS["mark-agent-drained"]:
      return { kind: "mark-agent-drained", agentId: AgentID.decode(body) };
    case KINDS["deactivate-agent"]:
      return { kind: "deactivate-agent", agentId: AgentID.decode(body) };
    case KINDS["reactivate-agent"]:
      return { kind: "reactivate-agent", agentId: AgentID.decode(body) };
    case KINDS["update-maintenance-schedule"]:
      return { kind: "update-maintenance-schedule", schedule: Schedule.decode(body) };
    case KINDS["start-maintenance"]:
      return { kind: "start-maintenance", machines: machinesIn(body) };
    case KINDS["stop-maintenance"]:
      return { kind: "stop-maintenance", machines: machinesIn(body) };
    case KINDS["update-weights"]: {
      const weights = Registry.decode(body).weights.map(({ info }) => info ?? {});
      return { kind: "update-weights", weights };
    }
    case KINDS["update-quotas"]:
      return { kind: "update-quotas", configs: Registry.decode(body).quota_configs };
    case KINDS.prune: {
      const { unreachable, gone } = Registry.decode(body);
      const ids = (list: { slaves: { id?: AgentID | undefined }[] } | undefined): AgentID[] =>
        (list?.slaves ?? []).map(({ id }) => id ?? {});
      return { kind: "prune", unreachable: ids(unreachable), gone: ids(gone) };
    }
    default:
      throw new Error(`a record has the unknown kind ${kind}; a newer program wrote it`);
  }
}

const machinesIn = (body: Buffer): MachineID[] =>
  Registry_Machines.decode(body).machines.map(({ info }) => info?.id ?? {});
