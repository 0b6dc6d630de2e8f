import type { Logger } from "../../../sdk/contracts/logger.js";
import { messageOf, TepuiError } from "../../../sdk/errors/index.js";
import { PERL_HELPER } from "../perl/program.js";
import { ShimLauncher } from "../shim/shim-launcher.js";
import { Cages } from "./cages.js";
import { linuxCommand } from "./linux-command.js";

export interface LinuxLauncherOptions {
  /** Mount root of cgroup hierarchies, e.g. `/sys/fs/cgroup`. */
  readonly hierarchy: string;
  /** Group that containers' groups are made in, e.g. `mesos`. */
  readonly root: string;
  readonly destroyTimeoutMs: number;
  readonly logger: Logger;
  /** The helper's program; the shipped one where it is absent. */
  readonly program?: string;
}

/** Gives containers all that the kernel has to keep them apart, and a control group that nothing of them can leave. */
export class LinuxLauncher extends ShimLauncher {
  private readonly cages: Cages;

  constructor(options: LinuxLauncherOptions) {
    const cages = new Cages(options);
    super({
      name: "linux",
      helpers: [["perl", "-e", options.program ?? PERL_HELPER]],
      logger: options.logger,
      command: (plan) => linuxCommand(plan, cages.directories(plan.containerId)),
      cage: (of) => cages.group(of),
      destroyTimeoutMs: options.destroyTimeoutMs,
    });
    this.cages = cages;
  }

  /** @throws TepuiError `TEPUI_LAUNCHER_UNAVAILABLE` when this host lacks something. */
  override async start(): Promise<string> {
    const lack = await this.open();
    if (lack === "") return lack;
    await this.stop();
    throw new TepuiError("TEPUI_LAUNCHER_UNAVAILABLE", {
      detail: `the linux launcher cannot run here: ${lack}`,
    });
  }

  override async stop(): Promise<void> {
    await super.stop();
    await this.cages.close();
  }

  /** Gives what is missing, in one line; empty when nothing is. */
  private async open(): Promise<string> {
    if (process.geteuid?.() !== 0) return "it needs root";
    const lack = await this.cages.open();
    if (lack !== undefined) return lack;
    try {
      return await super.start();
    } catch (error) {
      return `it needs Perl (perl-base): ${messageOf(error)}`;
    }
  }
}
