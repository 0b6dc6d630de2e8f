import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { Isolator } from "../../sdk/contracts/isolator.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import { isolationNames, unavailableIsolation } from "../../sdk/isolation/index.js";
import { type CgroupHost, openCgroups } from "../../sdk/node-cgroup/index.js";
import { joinAgentGroup } from "./agent-group.js";
import { AllIsolator } from "./all.js";
import { ALL, CATALOGUE } from "./catalogue.js";
import type { CgroupsConfig } from "./config.js";
import { ContainerGroups } from "./container-groups.js";
import type { GroupIsolator } from "./group-isolator.js";
import { Markers } from "./markers.js";

export interface FamilyOptions {
  readonly config: CgroupsConfig;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The isolators that `--isolation` names of this family, with what they share. */
export class CgroupsFamily {
  /** What is bound: with `cgroups/all` the others are but names. */
  readonly isolators: readonly Isolator[];
  private readonly groups: ContainerGroups;
  private readonly all: AllIsolator | undefined;
  private readonly named: readonly string[];
  private active: readonly GroupIsolator[];
  private host: CgroupHost | undefined;

  constructor(private readonly options: FamilyOptions) {
    const { config, logger } = options;
    // Of this agent alone, as several on one host may share the cgroup root.
    const agent = createHash("sha256").update(resolve(config.work_dir)).digest("hex").slice(0, 16);
    this.groups = new ContainerGroups({
      root: config.cgroups_root,
      destroyTimeout: config.cgroups_destroy_timeout,
      trialName: `start-of-${agent}`,
      markers: new Markers(join(config.runtime_dir, "cgroups", agent)),
      logger,
    });
    const names = isolationNames(config.isolation);
    this.named = [...names].filter((name) => Object.hasOwn(CATALOGUE, name));
    this.all = names.has(ALL) ? new AllIsolator() : undefined;
    this.active = this.all === undefined ? this.named.map((name) => this.make(name)) : [];
    this.isolators =
      this.all === undefined ? this.active : [this.all, ...this.named.map((name) => ({ name }))];
  }

  /** Rejects with TEPUI_ISOLATION_UNAVAILABLE, naming what this host lacks and how to get it. */
  async start(): Promise<void> {
    const { config, logger } = this.options;
    const first = this.isolators[0]?.name ?? "--agent_subsystems";
    if (process.geteuid?.() !== 0)
      throw unavailableIsolation(first, "root privileges: run the agent as root");
    const host = await openCgroups({ hierarchy: config.cgroups_hierarchy });
    this.host = host;
    const subsystems = config.agent_subsystems?.split(",").filter(Boolean) ?? [];
    joinAgentGroup(host, { subsystems, root: config.cgroups_root, logger });
    if (this.isolators.length === 0) return;
    this.chooseActive(host);
    const controllers = this.active.flatMap((isolator) => isolator.controllers);
    this.groups.open(host, [...new Set(controllers)]);
    await this.tryOut();
  }

  async stop(): Promise<void> {
    for (const isolator of this.active) await isolator.stop();
    await this.host?.close();
  }

  private chooseActive(host: CgroupHost): void {
    if (this.all !== undefined) {
      const usable = Object.keys(CATALOGUE).filter((name) => whyNot(name, host) === undefined);
      if (usable.length === 0)
        throw unavailableIsolation(ALL, `a cgroup controller, and none is mounted below ${host.hierarchy}`);
      this.active = usable.map((name) => this.make(name));
      this.all.open(this.active);
      this.options.logger.info(`cgroups/all stands for ${usable.join(", ")}`);
    }
    for (const { name } of this.active) {
      const why = whyNot(name, host);
      if (why !== undefined) throw unavailable(name, why);
    }
  }

  /** With a cgroup as a container gets it: rather no agent than one whose every container fails. */
  private async tryOut(): Promise<void> {
    const { name } = this.active[0]!;
    try {
      const trial = this.groups.trial();
      try {
        for (const isolator of this.active) await isolator.start(trial);
      } finally {
        await trial.destroy();
      }
    } catch (error) {
      throw error instanceof TepuiError ? error : unavailable(name, messageOf(error));
    }
  }

  private make(name: string): GroupIsolator {
    const { config, clock, logger } = this.options;
    const row = CATALOGUE[name]!;
    const { groups } = this;
    return row.make(
      { name, controllers: row.controllers, groups, logger },
      { config, groups, clock, logger },
    );
  }
}

/** Why the host cannot have the isolator, with what to do; undefined: it can. */
function whyNot(name: string, host: CgroupHost): string | undefined {
  const { controllers, only } = CATALOGUE[name]!;
  const lack = controllers.map((controller) => host.lack(controller)).find((each) => each !== undefined);
  if (lack !== undefined) return lack;
  if (only === undefined || only.version === host.version(controllers[0]!)) return undefined;
  return `cgroup v${only.version} has it alone, and this host has v${host.version(controllers[0]!)}: ${only.otherwise}`;
}

const unavailable = (isolator: string, why: string): TepuiError =>
  new TepuiError("TEPUI_ISOLATION_UNAVAILABLE", { detail: `'${isolator}': ${why}` });
