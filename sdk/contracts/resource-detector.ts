import type { Resource } from "../../proto/gen/mesos/v1/mesos.js";
import { extensionPoint } from "../plugin/extension-point.js";

/** What is to be found out. */
export interface DetectionRequest {
  /** Directory whose file system counts as `disk`. */
  readonly workDir: string;
  /** Names given explicitly by the operator: these need no detection. */
  readonly given: ReadonlySet<string>;
}

/** Finds what the host has. Unreserved resources; cpus in cores, mem and disk in MB. */
export interface ResourceDetector {
  detect(request: DetectionRequest): Promise<readonly Resource[]>;
}

export const ResourceDetector = extensionPoint<ResourceDetector, "many">("tepui.resource-detector", {
  version: "1.0",
  cardinality: "many",
});
