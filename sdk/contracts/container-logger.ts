import { extensionPoint } from "../plugin/extension-point.js";
import type { ContainerRequest } from "./containerizer.js";

/** Where a container's output goes: paths that the launcher opens for appending. */
export interface ContainerIo {
  readonly stdout: string;
  readonly stderr: string;
}

export interface ContainerLogger {
  prepare(request: ContainerRequest): Promise<ContainerIo>;
}

export const ContainerLogger = extensionPoint<ContainerLogger, "one">("tepui.container-logger", {
  version: "1.0",
  cardinality: "one",
});
