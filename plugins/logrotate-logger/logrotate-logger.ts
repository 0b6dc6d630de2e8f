import { join } from "node:path";
import type { ContainerIo, ContainerLogger, ContainerOutput } from "../../sdk/contracts/container-logger.js";
import type { ContainerRequest } from "../../sdk/contracts/containerizer.js";
import { TepuiError } from "../../sdk/errors/index.js";
import { isOwnUser } from "../../sdk/proc/index.js";
import { rotationsFor } from "./overrides.js";
import { PERL_LOGGER } from "./perl-logger.js";
import { findProgram } from "./programs.js";
import { DEFAULT_SIZE, keptFiles, type Rotation, type Rotations } from "./rotation.js";

export interface LogrotateLoggerOptions {
  /** For containers that say nothing else. */
  readonly general: Rotations;
  /** Of variables by which a container changes its own settings. */
  readonly environmentVariablePrefix: string;
  /** Name or path. */
  readonly logrotate: string;
}

/**
 * Keeps `stdout` and `stderr` of a sandbox within a size: a program for each reads the stream and rotates the file before it gets
 * too large. Whatever takes no more than counting files it does itself, as logrotate would; for any other option it calls logrotate.
 */
export class LogrotateLogger implements ContainerLogger {
  private perl = "perl";
  private logrotate: string | undefined;

  constructor(private readonly options: LogrotateLoggerOptions) {}

  /** Rejects with TEPUI_CONTAINER_LOGGER_UNAVAILABLE where this host lacks what every container needs. */
  async start(): Promise<void> {
    const { general, logrotate } = this.options;
    const perl = await findProgram("perl");
    if (perl === undefined) throw unavailable("Perl is missing: apt-get install perl-base");
    this.perl = perl;
    this.logrotate = await findProgram(logrotate);
    const { logrotate_stdout_options: stdout, logrotate_stderr_options: stderr } = general;
    const needed = [stdout, stderr].some((options) => keptFiles(options) === undefined);
    if (needed && this.logrotate === undefined) {
      throw unavailable(
        `'${logrotate}' is missing, which options other than 'rotate <count>' need: apt-get install logrotate`,
      );
    }
  }

  async prepare(request: ContainerRequest): Promise<ContainerIo> {
    const { general, environmentVariablePrefix } = this.options;
    const rotations = rotationsFor(request.command, environmentVariablePrefix, general);
    return {
      stdout: this.output(request, "stdout", {
        maxSize: rotations.max_stdout_size ?? DEFAULT_SIZE,
        options: rotations.logrotate_stdout_options,
      }),
      stderr: this.output(request, "stderr", {
        maxSize: rotations.max_stderr_size ?? DEFAULT_SIZE,
        options: rotations.logrotate_stderr_options,
      }),
    };
  }

  private output(
    { user, directory }: ContainerRequest,
    name: string,
    { maxSize, options }: Rotation,
  ): ContainerOutput {
    const kept = keptFiles(options);
    if (kept === undefined && this.logrotate === undefined) {
      throw new TepuiError("TEPUI_CONTAINER_LAUNCH_FAILED", {
        detail: `the options for rotating ${name} need logrotate, which this host lacks; without it there is 'rotate <count>' alone`,
      });
    }
    const how = kept === undefined ? [this.logrotate!, options!] : [String(kept)];
    const account = user === undefined || isOwnUser(user) ? "" : user;
    return {
      command: [this.perl, "-e", PERL_LOGGER, "--", join(directory, name), String(maxSize), account, ...how],
    };
  }
}

const unavailable = (detail: string): TepuiError =>
  new TepuiError("TEPUI_CONTAINER_LOGGER_UNAVAILABLE", { detail });
