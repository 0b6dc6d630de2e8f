import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readContainerRecord } from "../../../plugins/launchers/shim/exit-record.js";
import { isAlive, readProcessStat } from "../../../sdk/proc/index.js";
import type { SeededRandom } from "../../../sdk/testing/seeded-random.js";

/** A container of an agent, and the process that waits for its end. */
interface Shim {
  readonly outermost: string;
  readonly pid: number;
}

/** The processes between an agent and its containers. */
export class Helpers {
  constructor(private readonly runtimeDir: string) {}

  /**
   * Kills the shim of a random container that is one of these, or nested in one of these.
   *
   * @returns the outermost container; undefined: there is none
   */
  async killShim(random: SeededRandom, within: ReadonlyMap<string, unknown>): Promise<string | undefined> {
    const shims = (await this.shims()).filter(({ outermost }) => within.has(outermost));
    const shim = shims[Math.floor(random.next() * shims.length)];
    return shim !== undefined && kill(shim.pid) ? shim.outermost : undefined;
  }

  /** Kills the program that starts containers for the agent with this pid. False: there is none. */
  async killHelper(agentPid: number): Promise<boolean> {
    const children = await readFile(`/proc/${agentPid}/task/${agentPid}/children`, "utf8").catch(() => "");
    return children
      .split(" ")
      .filter(Boolean)
      .some((pid) => kill(Number(pid)));
  }

  private async shims(): Promise<Shim[]> {
    const containers = join(this.runtimeDir, "containers");
    const found: Shim[] = [];
    for (const agent of await entries(containers)) {
      for (const container of await entries(join(containers, agent))) {
        const record = await readContainerRecord(join(containers, agent, container)).catch(() => undefined);
        const { shimPid: pid, shimStart } = record?.shim ?? { shimPid: 0, shimStart: 0 };
        const stat = readProcessStat(pid);
        if (record?.exit === undefined && isAlive(stat) && stat.startTicks === shimStart)
          found.push({ outermost: container.split(".")[0]!, pid });
      }
    }
    return found;
  }
}

const entries = (path: string): Promise<string[]> => readdir(path).catch(() => []);

function kill(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    // It has exited already.
    return false;
  }
}
