import type { Duplex } from "node:stream";
import type { ZooKeeperServer as Address } from "../../../sdk/zookeeper/index.js";
import type { Connection, Party } from "../network.js";
import type { SimulatedProcess } from "../process.js";
import type { Ensemble } from "./ensemble.js";

interface Line {
  readonly connection: Connection;
  readonly party: Party;
  /** Runs at the server. */
  readonly arrives: (bytes: Buffer) => void;
}

/** The client's end of a connection: as much of a socket as the ZooKeeper client uses. */
export class SimulatedSocket {
  private readonly listeners = new Map<string, (value?: unknown) => void>();
  private line: Line | undefined;
  private destroyed = false;

  constructor(private readonly process: SimulatedProcess) {}

  on(event: string, listener: (value?: unknown) => void): this {
    this.listeners.set(event, listener);
    return this;
  }

  write(bytes: Buffer): boolean {
    const { line } = this;
    if (!this.destroyed) line?.connection.send(line.party, () => line.arrives(bytes));
    return true;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.line?.connection.close(this.line.party);
  }

  received(bytes: Buffer): void {
    if (!this.destroyed) this.listeners.get("data")?.(bytes);
  }

  ended(reason: string): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.listeners.get("error")?.(new Error(reason));
  }

  opened(line: Line): void {
    this.line = line;
  }

  refused(): void {
    this.process.input(1, () => this.ended("connection refused"));
  }
}

/** How a process reaches the servers of the ensemble. */
export function dialer(ensemble: Ensemble, process: SimulatedProcess): (server: Address) => Duplex {
  return ({ host }) => {
    const socket = new SimulatedSocket(process);
    const server = ensemble.servers.find((one) => one.process.host.name === host);
    if (server === undefined || !server.accept(socket, process)) socket.refused();
    return socket as unknown as Duplex;
  };
}
