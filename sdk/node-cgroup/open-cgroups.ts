import type { CgroupHost, CgroupHostOptions } from "./cgroup-host.js";

/** Finds out which controllers this host has, and where. */
export declare function openCgroups(options?: CgroupHostOptions): Promise<CgroupHost>;
