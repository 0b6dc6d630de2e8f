import { extensionPoint } from "../plugin/extension-point.js";
import type { ContainerRequest } from "./containerizer.js";

/** Where a container's output goes: paths that the launcher opens for appending. */
export interface ContainerIo {
  readonly stdout: string;
  readonly stderr: string;
}

/** Says where the output of containers goes. */
export interface ContainerLogger {
  /** Before the container starts; what is named must be there by then. Rejecting fails the launch. */
  prepare(request: ContainerRequest): Promise<ContainerIo>;
}

export const ContainerLogger = extensionPoint<ContainerLogger, "one">("tepui.container-logger", {
  version: "1.0",
  cardinality: "one",
});
