import { join } from "node:path";
import type { ContainerIo, ContainerLogger } from "../../sdk/contracts/container-logger.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";

/** Puts a container's output into `stdout` and `stderr` of its sandbox, as Mesos does by default. */
export class SandboxLogger implements ContainerLogger {
  async prepare(request: ContainerRequest): Promise<ContainerIo> {
    return { stdout: join(request.directory, "stdout"), stderr: join(request.directory, "stderr") };
  }
}
