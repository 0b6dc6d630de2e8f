import {
  type Cgroup,
  type CgroupHost,
  type Controller,
  openCgroups,
} from "../../../sdk/node-cgroup/index.js";
import { GatedProcess } from "../../support/gated-process.js";

/** Whether real groups can be made here: as root, where what every container needs is mounted. */
export const canMakeGroups = (host: CgroupHost): boolean =>
  process.getuid?.() === 0 &&
  (["cpu", "memory", "freezer"] as const).every((each) => host.version(each) !== undefined);

/** Groups below a root of this process's own, and processes, all of which `close` ends and removes. */
export class TestGroups {
  readonly root = `node-cgroup-test-${process.pid}`;
  readonly #processes: GatedProcess[] = [];
  #count = 0;

  constructor(readonly host: CgroupHost) {}

  static async open(): Promise<TestGroups> {
    return new TestGroups(await openCgroups());
  }

  /** A group that is there. By default the freezer comes along. */
  make(...controllers: Controller[]): Cgroup {
    this.#count += 1;
    const group = this.host.group(`${this.root}/${this.#count}`, ["freezer", ...controllers]);
    group.create();
    return group;
  }

  /** A process in a group, waiting for `go`. */
  gate(group: Cgroup, ...argv: string[]): GatedProcess {
    const gated = new GatedProcess(argv);
    this.#processes.push(gated);
    group.add(gated.pid);
    return gated;
  }

  /** Runs a program in a group. */
  run(group: Cgroup, ...argv: string[]): GatedProcess {
    const gated = this.gate(group, ...argv);
    gated.go();
    return gated;
  }

  async close(): Promise<void> {
    const all = this.host.group(this.root, this.host.controllers);
    await all.kill();
    await Promise.all(this.#processes.splice(0).map((each) => each.end()));
    await all.destroy();
    await this.host.close();
  }
}
