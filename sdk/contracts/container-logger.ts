import { extensionPoint } from "../plugin/extension-point.js";
import type { ContainerRequest } from "./containerizer.js";

/** Where one stream of a container's output goes. */
export type ContainerOutput =
  /** A path, opened for appending as the container's user, and made if it is missing. */
  | string
  /**
   * A program that reads the stream from its standard input: program (looked up in the agent's PATH) and arguments. The launcher starts
   * it once a stream, as the agent's user, in `/`, outside of the container's namespaces and cgroups. Of the agent's environment it has
   * PATH, HOME, locale and time zone; what it writes itself goes nowhere. It outlives the agent, reads on until no process of the
   * container holds the stream, and is not one of the container's processes.
   */
  | { readonly command: readonly string[] };

/** Where a container's output goes. */
export interface ContainerIo {
  readonly stdout: ContainerOutput;
  readonly stderr: ContainerOutput;
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
