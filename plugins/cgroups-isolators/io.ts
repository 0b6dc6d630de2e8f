import {
  type CgroupInfo_Blkio_CFQ_Statistics,
  CgroupInfo_Blkio_Operation,
  type CgroupInfo_Blkio_Statistics,
  type CgroupInfo_Blkio_Throttling_Statistics,
  type CgroupInfo_Blkio_Value,
  type Device_Number,
  type ResourceStatistics,
} from "../../proto/gen/mesos/v1/mesos.js";
import type { Cgroup, IoCount, IoDeviceStat, IoOperation, IoStat } from "../../sdk/node-cgroup/index.js";
import { GroupIsolator } from "./group-isolator.js";

/** `cgroups/blkio` and, on v2, `cgroups/io`: measure what a container reads from and writes to block devices. */
export class IoIsolator extends GroupIsolator {
  protected override measure(group: Cgroup): Partial<ResourceStatistics> {
    return { blkio_statistics: blkioStatistics(group.io.stat()) };
  }
}

/** In Mesos's form: each list ends with the sum over all devices, be it an empty one. */
export function blkioStatistics({
  scheduler,
  schedulerRecursive,
  throttling,
}: IoStat): CgroupInfo_Blkio_Statistics {
  return {
    cfq: withTotal(scheduler).map(schedulerStatistics),
    cfq_recursive: withTotal(schedulerRecursive).map(schedulerStatistics),
    throttling: withTotal(throttling).map(throttlingStatistics),
  };
}

const NOTHING: IoDeviceStat = {
  serviced: [],
  serviceBytes: [],
  serviceTime: [],
  waitTime: [],
  merged: [],
  queued: [],
};

const withTotal = (devices: readonly IoDeviceStat[]): readonly IoDeviceStat[] =>
  devices.some(({ device }) => device === undefined) ? devices : [...devices, NOTHING];

function schedulerStatistics(stat: IoDeviceStat): CgroupInfo_Blkio_CFQ_Statistics {
  return {
    ...numberOf(stat),
    ...(stat.sectors !== undefined && { sectors: BigInt(stat.sectors) }),
    ...(stat.time !== undefined && { time: BigInt(stat.time) }),
    io_serviced: values(stat.serviced),
    io_service_bytes: values(stat.serviceBytes),
    io_service_time: values(stat.serviceTime),
    io_wait_time: values(stat.waitTime),
    io_merged: values(stat.merged),
    io_queued: values(stat.queued),
  };
}

function throttlingStatistics(stat: IoDeviceStat): CgroupInfo_Blkio_Throttling_Statistics {
  return {
    ...numberOf(stat),
    io_serviced: values(stat.serviced),
    io_service_bytes: values(stat.serviceBytes),
  };
}

const numberOf = ({ device }: IoDeviceStat): { device?: Device_Number } =>
  device === undefined
    ? {}
    : { device: { major_number: BigInt(device.major), minor_number: BigInt(device.minor) } };

const OPERATIONS: Readonly<Record<IoOperation, CgroupInfo_Blkio_Operation>> = {
  Read: CgroupInfo_Blkio_Operation.READ,
  Write: CgroupInfo_Blkio_Operation.WRITE,
  Sync: CgroupInfo_Blkio_Operation.SYNC,
  Async: CgroupInfo_Blkio_Operation.ASYNC,
  Discard: CgroupInfo_Blkio_Operation.DISCARD,
  Total: CgroupInfo_Blkio_Operation.TOTAL,
};

const values = (counts: readonly IoCount[]): CgroupInfo_Blkio_Value[] =>
  counts.map(({ operation, value }) => ({
    op: operation === undefined ? CgroupInfo_Blkio_Operation.UNKNOWN : OPERATIONS[operation],
    value: BigInt(value),
  }));
