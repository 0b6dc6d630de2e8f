import { join } from "node:path/posix";
import type { Logger } from "../../sdk/contracts/logger.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";
import type { CgroupHost, Controller } from "../../sdk/node-cgroup/index.js";

/** What Mesos calls the agent's own group below `--cgroups_root`. */
const NAME = { 1: "slave", 2: "agent" };

/** v1's name of a controller. */
const controllerOf = (subsystem: string): string => (subsystem === "blkio" ? "io" : subsystem);

/**
 * `--agent_subsystems`: moves this process into a group of its own, so that what the agent itself uses can be measured.
 * Rejects with TEPUI_ISOLATION_UNAVAILABLE.
 */
export function joinAgentGroup(
  host: CgroupHost,
  { subsystems, root, logger }: { subsystems: readonly string[]; root: string; logger: Logger },
): void {
  for (const subsystem of subsystems) {
    const controller = controllerOf(subsystem) as Controller;
    const version = host.version(controller);
    const unavailable = (why: string): TepuiError =>
      new TepuiError("TEPUI_ISOLATION_UNAVAILABLE", {
        detail: `--agent_subsystems has '${subsystem}': ${why}`,
      });
    if (version === undefined) throw unavailable(host.lack(controller) ?? "there is no such controller");
    const group = host.group(join(root, NAME[version]), [controller]);
    try {
      group.create();
      // Programs that an agent before this one started, as a rule.
      const others = group.processes({ below: true }).filter((pid) => pid !== process.pid);
      if (others.length > 0)
        logger.info({ cgroup: group.path, pids: others.join(",") }, "others are in the agent's cgroup");
      group.add(process.pid);
    } catch (error) {
      throw unavailable(messageOf(error));
    }
  }
}
