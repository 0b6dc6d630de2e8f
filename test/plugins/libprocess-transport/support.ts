import { OnePortServer } from "../../../plugins/http-server/server.js";
import {
  LibprocessTransport,
  type TransportSettings,
} from "../../../plugins/libprocess-transport/transport.js";
import type { Clock } from "../../../sdk/contracts/clock.js";
import { SystemClock } from "../../../sdk/contracts/system-clock.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";
import { TEST_SETTINGS } from "../http-server/support.js";

export interface Daemon {
  readonly server: OnePortServer;
  readonly transport: LibprocessTransport;
  readonly logger: MemoryLogger;
  readonly port: number;
  stop(): Promise<void>;
}

/** A server with a transport on a free port of loopback, as a daemon has them. */
export async function startDaemon(
  settings: Partial<TransportSettings> = {},
  clock: Clock = new SystemClock(),
): Promise<Daemon> {
  const logger = new MemoryLogger();
  const server = new OnePortServer({ ...TEST_SETTINGS, maxConnections: 20_000 }, { clock, logger });
  const transport = new LibprocessTransport(
    {
      maxMessageBytes: 16 * 1024 * 1024,
      maxQueuedBytes: 64 * 1024 * 1024,
      idleTimeout: 600_000,
      requirePeerAddressIpMatch: false,
      ...settings,
    },
    { server, clock, logger },
  );
  await server.start();
  transport.start();
  return {
    server,
    transport,
    logger,
    port: server.address.port,
    stop: async () => {
      transport.stop();
      await server.stop();
    },
  };
}

/** A message as libprocess writes it. */
export function wireMessage(options: {
  to: string;
  name: string;
  from: string;
  body: string;
  host?: string;
}): string {
  const { to, name, from, body, host = "127.0.0.1:1" } = options;
  const head = `POST /${to}/${name} HTTP/1.1\r\nUser-Agent: libprocess/${from}\r\nLibprocess-From: ${from}\r\nConnection: Keep-Alive\r\nHost: ${host}\r\n`;
  if (body === "") return `${head}\r\n`;
  return `${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}
