import { allowedDevices } from "../../sdk/isolation/index.js";
import { durationText, z } from "../../sdk/plugin/index.js";
import { parseHandle, parseHandleRange } from "./net-cls-handles.js";

const handle = z.string().refine((text) => parseHandle(text) !== undefined, {
  error: "must be a 16-bit number such as 0x0012",
});

const handleRange = z.string().refine((text) => parseHandleRange(text) !== undefined, {
  error: "must be two 16-bit numbers other than 0, the lower one first, such as 0x0001,0xffff",
});

/** A path below the mount points; slashes at its ends are of no matter. */
const groupPath = z
  .string()
  .transform((path) => path.replace(/^\/+|\/+$/g, ""))
  .refine((path) => path.split("/").every((name) => name !== "" && name !== "." && name !== ".."), {
    error: "must be a path such as mesos, without '.' and '..'",
  });

/** Fields are Mesos's flags. */
export const config = z.strictObject({
  isolation: z.string().default("posix/cpu,posix/mem"),
  work_dir: z.string().min(1),
  runtime_dir: z.string().default("/var/run/mesos"),
  cgroups_hierarchy: z.string().default("/sys/fs/cgroup"),
  cgroups_root: groupPath.default("mesos"),
  cgroups_destroy_timeout: durationText("1mins"),
  cgroups_enable_cfs: z.boolean().default(false),
  cgroups_limit_swap: z.boolean().default(false),
  cgroups_cpu_enable_pids_and_tids_count: z.boolean().default(false),
  cgroups_net_cls_primary_handle: handle.optional(),
  cgroups_net_cls_secondary_handles: handleRange.optional(),
  allowed_devices: allowedDevices.optional(),
  agent_subsystems: z.string().optional(),
  perf_events: z.string().optional(),
  perf_interval: durationText("1mins"),
  perf_duration: durationText("10secs"),
  revocable_cpu_low_priority: z.boolean().default(true),
});

export type CgroupsConfig = z.output<typeof config>;
