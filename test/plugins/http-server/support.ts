import { connect, type Socket } from "node:net";
import { type HttpServerSettings, OnePortServer } from "../../../plugins/http-server/server.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";

export const TEST_SETTINGS: HttpServerSettings = {
  ip: "127.0.0.1",
  port: 0,
  hostname: "localhost",
  hostname_lookup: false,
  processId: "master",
  maxBodyBytes: 1024 * 1024,
  maxReceivingBytes: 16 * 1024 * 1024,
  maxUnreadBytes: 16 * 1024 * 1024,
  maxConnections: 5000,
  receiveTimeout: 60_000,
  keepAliveTimeout: 60_000,
  stopGrace: 200,
};

export interface Rig {
  readonly server: OnePortServer;
  readonly logger: MemoryLogger;
  readonly base: string;
}

/** A server on a free port of loopback; `wire` adds routes before it starts. */
export async function startServer(
  wire: (server: OnePortServer) => void,
  settings: Partial<HttpServerSettings> = {},
): Promise<Rig> {
  const logger = new MemoryLogger();
  const server = new OnePortServer({ ...TEST_SETTINGS, ...settings }, { clock: new SystemClock(), logger });
  wire(server);
  await server.start();
  return { server, logger, base: `http://127.0.0.1:${server.address.port}` };
}

/** A raw connection that collects what it receives. */
export class RawPeer {
  private received = Buffer.alloc(0);
  private readonly waiting = new Set<() => void>();
  closed = false;

  private constructor(readonly socket: Socket) {
    socket.on("data", (chunk) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.closed = true;
      this.wake();
    });
  }

  static async open(port: number): Promise<RawPeer> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new RawPeer(socket);
  }

  get text(): string {
    return this.received.toString("latin1");
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Writes byte after byte, each in its own packet. */
  async writeSlowly(data: string): Promise<void> {
    for (const byte of Buffer.from(data, "latin1")) {
      await new Promise((resolve) => this.socket.write(Buffer.of(byte), resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Resolves once the condition holds for what was received. */
  async until(condition: (text: string) => boolean): Promise<string> {
    while (!condition(this.text)) {
      if (this.closed) throw new Error(`closed after: ${this.text}`);
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
    return this.text;
  }

  async untilClosed(): Promise<string> {
    while (!this.closed) await new Promise<void>((resolve) => this.waiting.add(resolve));
    return this.text;
  }

  destroy(): void {
    this.socket.destroy();
  }

  private wake(): void {
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const resume of waiting) resume();
  }
}

/** How often `part` occurs. */
export const count = (text: string, part: string): number => text.split(part).length - 1;
