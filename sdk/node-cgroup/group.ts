import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Cgroup, CgroupVersion, Controller, Patience, Reach } from "./cgroup.js";
import { CgroupError } from "./cgroup-error.js";
import { writeControl } from "./control-file.js";
import type {
  CpuAccounting,
  CpuControl,
  CpusetControl,
  DevicesControl,
  HugetlbControl,
  IoControl,
  MemoryControl,
  NetClsControl,
  NetPrioControl,
  PerfEventControl,
  PidsControl,
} from "./controls.js";
import type { GroupServices } from "./group-services.js";
import { Hugetlb } from "./hugetlb-control.js";
import { Pids } from "./pids-control.js";
import { idsIn } from "./processes.js";
import { isRemoved, removeTree } from "./remove-tree.js";
import type { Tree } from "./tree.js";
import { CpuAccountingV1, CpuV1 } from "./v1/cpu-v1.js";
import { CpusetV1 } from "./v1/cpuset-v1.js";
import { DevicesV1 } from "./v1/devices-v1.js";
import { IoV1 } from "./v1/io-v1.js";
import { MemoryV1 } from "./v1/memory-v1.js";
import { NetClsV1, NetPrioV1 } from "./v1/net-v1.js";
import { CpuAccountingV2, CpuV2 } from "./v2/cpu-v2.js";
import { CpusetV2 } from "./v2/cpuset-v2.js";
import { DevicesV2 } from "./v2/devices-v2.js";
import { IoV2 } from "./v2/io-v2.js";
import { MemoryV2 } from "./v2/memory-v2.js";
import { deadlineOf } from "./waiting.js";

/** What the group has in one hierarchy. */
interface Part {
  readonly tree: Tree;
  readonly controllers: readonly Controller[];
  readonly directory: string;
  readonly processDirectory: string;
}

export class Group implements Cgroup {
  readonly path: string;
  readonly controllers: readonly Controller[];
  readonly directories: readonly string[];
  readonly #trees: ReadonlyMap<Controller, Tree>;
  readonly #parts: readonly Part[];
  readonly #services: GroupServices;

  constructor(path: string, trees: ReadonlyMap<Controller, Tree>, services: GroupServices) {
    this.path = path;
    this.controllers = [...trees.keys()];
    this.#trees = trees;
    this.#services = services;
    this.#parts = [...new Set(trees.values())].map((tree) => ({
      tree,
      controllers: this.controllers.filter((controller) => trees.get(controller) === tree),
      directory: tree.directory(path),
      processDirectory: tree.processDirectory(path),
    }));
    this.directories = this.#parts.map((part) => part.processDirectory);
  }

  create(): void {
    for (const { tree, controllers } of this.#parts) tree.create(this.path, controllers);
  }

  exists(): boolean {
    return this.directories.every((directory) => existsSync(directory));
  }

  add(pid: number): void {
    for (const directory of this.directories) writeControl(join(directory, "cgroup.procs"), pid);
  }

  processes(reach?: Reach): number[] {
    return this.#ids(() => "cgroup.procs", reach);
  }

  threads(reach?: Reach): number[] {
    return this.#ids((tree) => tree.threadsFile, reach);
  }

  #ids(file: (tree: Tree) => string, { below = false }: Reach = {}): number[] {
    const tree = this.#trees.get("freezer");
    const part = this.#parts.find((each) => each.tree === tree) ?? this.#parts[0];
    return part === undefined
      ? []
      : idsIn(below ? part.directory : part.processDirectory, file(part.tree), below);
  }

  async freeze(patience?: Patience): Promise<void> {
    const { tree, directory } = this.#withoutUs();
    await tree.freeze(directory, deadlineOf(patience));
  }

  async thaw(): Promise<void> {
    const { tree, directory } = this.#of("freezer");
    tree.thaw(directory);
  }

  async kill(patience?: Patience): Promise<void> {
    const { tree, directory } = this.#withoutUs();
    await tree.kill(directory, deadlineOf(patience));
  }

  async destroy(patience?: Patience): Promise<void> {
    const deadline = deadlineOf(patience);
    for (const { processDirectory, directory } of this.#parts) {
      // On v2, the one below that is known to be there.
      if (processDirectory !== directory) isRemoved(processDirectory);
      await removeTree(directory, deadline);
      this.#services.removals.tell(directory);
    }
  }

  get cpu(): CpuControl {
    const { directory, version } = this.#of("cpu");
    return version === 1 ? new CpuV1(directory) : new CpuV2(directory);
  }

  get cpuacct(): CpuAccounting {
    const { directory, version } = this.#of("cpuacct");
    return version === 1 ? new CpuAccountingV1(directory) : new CpuAccountingV2(directory);
  }

  get cpuset(): CpusetControl {
    const { directory, version } = this.#of("cpuset");
    return version === 1 ? new CpusetV1(directory) : new CpusetV2(directory);
  }

  get memory(): MemoryControl {
    const { directory, version } = this.#of("memory");
    return version === 1 ? new MemoryV1(directory, this.#services) : new MemoryV2(directory, this.#services);
  }

  get devices(): DevicesControl {
    const { directory, version } = this.#of("devices");
    return version === 1 ? new DevicesV1(directory) : new DevicesV2(directory, this.#services.helper);
  }

  get pids(): PidsControl {
    return new Pids(this.#of("pids").directory);
  }

  get io(): IoControl {
    const { directory, version } = this.#of("io");
    return version === 1 ? new IoV1(directory) : new IoV2(directory);
  }

  get hugetlb(): HugetlbControl {
    const { directory, version } = this.#of("hugetlb");
    return new Hugetlb(directory, version);
  }

  get netCls(): NetClsControl {
    return new NetClsV1(this.#of("net_cls").directory);
  }

  get netPrio(): NetPrioControl {
    return new NetPrioV1(this.#of("net_prio").directory);
  }

  get perfEvent(): PerfEventControl {
    const { directory } = this.#of("perf_event");
    return { name: this.path, directory };
  }

  /** Whoever stops or ends this very process would not come to the end of it. */
  #withoutUs(): { tree: Tree; directory: string } {
    const part = this.#of("freezer");
    if (this.processes({ below: true }).includes(process.pid))
      throw new CgroupError(`cgroup ${this.path} holds this process itself (${process.pid})`, {
        errno: "EDEADLK",
      });
    return part;
  }

  #of(controller: Controller): { tree: Tree; directory: string; version: CgroupVersion } {
    const tree = this.#trees.get(controller);
    if (tree === undefined)
      throw new CgroupError(`cgroup ${this.path} is without controller ${controller}`, { errno: "EINVAL" });
    return { tree, directory: tree.directory(this.path), version: tree.version };
  }
}
