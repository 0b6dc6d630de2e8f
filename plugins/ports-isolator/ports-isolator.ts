import { TaskStatus_Reason, type Value_Range, Value_Type } from "../../proto/gen/mesos/v1/mesos.js";
import type { Clock } from "../../sdk/contracts/clock.js";
import type { ContainerRequest, RecoverableContainer } from "../../sdk/contracts/containerizer.js";
import type { Contribution } from "../../sdk/contracts/contribution.js";
import type { ContainerLimitation, ContainerUpdate, Isolator } from "../../sdk/contracts/isolator.js";
import type { Logger } from "../../sdk/contracts/logger.js";
import { Limitation } from "../../sdk/isolation/index.js";
import { Rounds } from "../../sdk/time/index.js";
import { ContainerProcesses, type ContainerRoot, containerRoot, socketsOf } from "./container-processes.js";
import { listeningSockets } from "./listening-sockets.js";
import { includesPort, rangesOf, rangesText } from "./port-ranges.js";
import type { RootRecords } from "./root-records.js";

export interface PortsIsolatorOptions {
  readonly records: RootRecords;
  /** Milliseconds from the end of one look to the next. */
  readonly interval: number;
  /** Whether a container is ended for it; otherwise it is logged. */
  readonly enforce: boolean;
  /** Only these ports are looked at; undefined: all. */
  readonly isolated: readonly Value_Range[] | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Container {
  allocated: readonly Value_Range[];
  root: ContainerRoot | undefined;
  /** What was reported last, so that it is reported once. */
  reported: string;
  readonly limitation: Limitation;
}

/** `network/ports`: looks from time to time whether containers in the host's network listen on ports that are not theirs. */
export class PortsIsolator implements Isolator {
  readonly name = "network/ports";
  private readonly containers = new Map<string, Container>();
  private readonly rounds: Rounds;

  constructor(private readonly options: PortsIsolatorOptions) {
    const { clock, interval, logger } = options;
    this.rounds = new Rounds({
      clock,
      interval,
      round: () => this.look(),
      failed: (error) => logger.error({ err: error }, "cannot look at the ports in use"),
    });
  }

  async start(): Promise<void> {
    await this.options.records.open();
    this.rounds.start();
  }

  stop(): void {
    void this.rounds.stop();
  }

  async recover(known: readonly RecoverableContainer[]): Promise<void> {
    const requests = known.map(({ request }) => request);
    const roots = await this.options.records.recover(new Set(requests.map(idOf)));
    for (const request of requests) {
      if (!usesHostNetwork(request)) continue;
      this.add(request).root = roots.get(idOf(request));
    }
  }

  async prepare(request: ContainerRequest): Promise<undefined> {
    if (usesHostNetwork(request)) this.add(request);
  }

  async isolate(id: string, pid: number, plan: Contribution): Promise<void> {
    const container = this.containers.get(id);
    if (container === undefined) return;
    container.root = containerRoot(id, pid, plan.cgroups ?? []);
    await this.options.records.save(id, container.root);
  }

  async update(id: string, { resources }: ContainerUpdate): Promise<void> {
    const container = this.containers.get(id);
    if (container !== undefined) container.allocated = resources.ports;
  }

  watch(id: string, signal: AbortSignal): Promise<ContainerLimitation> {
    const container = this.containers.get(id);
    return container === undefined ? new Promise(() => undefined) : container.limitation.watch(signal);
  }

  async cleanup(id: string): Promise<void> {
    if (this.containers.delete(id)) await this.options.records.forget(id);
  }

  /** One look at all containers: the tables of sockets are read once. */
  async look(): Promise<void> {
    const sockets = await listeningSockets();
    const { isolated } = this.options;
    if (isolated !== undefined) {
      for (const [inode, port] of sockets) if (!includesPort(isolated, port)) sockets.delete(inode);
    }
    const processes = new ContainerProcesses();
    for (const [id, container] of this.containers) {
      // What listens on the container's own ports needs no finding; mostly nothing else does.
      const foreign = new Map([...sockets].filter(([, port]) => !includesPort(container.allocated, port)));
      if (container.root === undefined || foreign.size === 0) continue;
      const ports = new Set<number>();
      for (const pid of await processes.of(container.root)) {
        for (const inode of await socketsOf(pid)) {
          const port = foreign.get(inode);
          if (port !== undefined) ports.add(port);
        }
      }
      // It may have got more of them while they were looked for.
      const unallocated = [...ports].filter((port) => !includesPort(container.allocated, port));
      if (this.containers.get(id) === container) this.report(id, container, unallocated);
    }
  }

  private report(id: string, container: Container, ports: readonly number[]): void {
    const range = rangesOf(ports);
    const text = rangesText(range);
    if (container.reported === text) return;
    container.reported = text;
    if (ports.length === 0) return;
    const message = `Container ${id} is listening on unallocated port(s): ${text}`;
    this.options.logger.info({ container: id }, message);
    if (!this.options.enforce || container.limitation.crossed) return;
    container.limitation.cross({
      message,
      reason: TaskStatus_Reason.REASON_CONTAINER_LIMITATION,
      limitation: {
        resources: [{ name: "ports", type: Value_Type.RANGES, ranges: { range }, reservations: [] }],
      },
    });
  }

  private add(request: ContainerRequest): Container {
    const container: Container = {
      allocated: request.resources.ports,
      root: undefined,
      reported: rangesText([]),
      limitation: new Limitation(),
    };
    this.containers.set(idOf(request), container);
    return container;
  }
}

const idOf = ({ containerId }: ContainerRequest): string => containerId.value!;

/** One that joins a named network has all ports of its own address to itself. */
const usesHostNetwork = ({ container }: ContainerRequest): boolean =>
  !(container?.network_infos ?? []).some(({ name }) => name !== undefined);
