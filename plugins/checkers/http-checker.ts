import { lookup } from "node:dns/promises";
import { isIP, isIPv6 } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type {
  Checker,
  CheckOutcome,
  CheckSpec,
  CheckTarget,
  PreparedCheck,
} from "../../sdk/contracts/checker.js";
import { messageOf } from "../../sdk/errors/index.js";
import { type HttpHead, readHead } from "./http-head.js";
import type { Network, Place, Verdicts } from "./network/network.js";

/** As many as curl follows. */
const MOST_REDIRECTIONS = 50;

interface Request {
  readonly scheme: string;
  readonly address: string;
  readonly port: number;
  /** As in the `Host` header, without port. */
  readonly host: string;
  readonly bytes: Buffer;
  /** For what a redirection is relative to. */
  readonly url: string;
}

/**
 * Healthy is an answer with a status from 200 to 399, redirections followed and certificates not looked at, as `curl -L -k` does it. The
 * connection is closed as soon as the status is known.
 */
export class HttpChecker implements Checker {
  constructor(private readonly network: Network) {}

  prepare({ scheme, address, port, path }: CheckSpec, { pid }: CheckTarget): PreparedCheck {
    const place = this.network.place(pid);
    const host = isIPv6(address) ? `[${address}]` : address;
    const first = request({ scheme, address, port, host, path });
    return { run: (signal) => ask(place, first, signal) };
  }
}

function request(to: Pick<Request, "scheme" | "address" | "port" | "host"> & { path: string }): Request {
  const { path, ...rest } = to;
  const { scheme, host, port } = rest;
  const target = path.replace(/#.*$/s, "").replace(/[^!-~]/gu, encodeURIComponent);
  const lines = [
    `GET ${target} HTTP/1.1`,
    `Host: ${host}:${port}`,
    "User-Agent: tepui-check",
    "Accept: */*",
    "Connection: close",
  ];
  return {
    ...rest,
    bytes: Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"),
    url: `${scheme}://${host}:${port}${target}`,
  };
}

async function ask(place: Place, first: Request, signal: AbortSignal): Promise<CheckOutcome | undefined> {
  let to = first;
  for (let redirections = 0; ; redirections++) {
    const heads: HttpHead[] = [];
    const outcome = await place.exchange(
      { address: to.address, port: to.port, signal },
      (connection, verdicts) => talk(connection, to, { verdicts, head: (head) => void heads.push(head) }),
    );
    const location = heads[0]?.location;
    if (location === undefined || outcome === undefined) return outcome;
    if (redirections === MOST_REDIRECTIONS) return { healthy: false, message: "it redirects without end" };
    try {
      to = await redirected(to, location);
    } catch (error) {
      return { healthy: false, message: `it redirects to '${location}': ${messageOf(error)}` };
    }
    if (signal.aborted) return undefined;
  }
}

async function redirected({ url }: Request, location: string): Promise<Request> {
  const next = new URL(location, url);
  if (next.protocol !== "http:" && next.protocol !== "https:") throw new Error("that is not HTTP");
  const name = next.hostname.replace(/^\[|\]$/g, "");
  const address = isIP(name) === 0 ? (await lookup(name)).address : name;
  const port = next.port === "" ? (next.protocol === "https:" ? 443 : 80) : Number(next.port);
  const scheme = next.protocol.slice(0, -1);
  return request({ scheme, address, port, host: next.hostname, path: next.pathname + next.search });
}

function talk(
  connection: Duplex,
  to: Request,
  { verdicts, head }: { verdicts: Verdicts; head: (head: HttpHead) => void },
): void {
  let stream = connection;
  const failed = (error: Error): void => {
    if (stream !== connection) stream.destroy();
    verdicts.failed(error);
  };
  connection.on("error", failed);
  if (to.scheme === "https") {
    stream = connectTls({ socket: connection, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] });
    stream.on("error", failed);
  }
  let text = "";
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    try {
      const found = readHead(text);
      if (found === undefined) return;
      head(found);
      if (stream !== connection) stream.destroy();
      verdicts.found(outcomeOf(found.status));
    } catch (error) {
      failed(error as Error);
    }
  });
  stream.on("end", () => failed(new Error("it closed the connection without an answer")));
  stream.write(to.bytes);
}

const outcomeOf = (statusCode: number): CheckOutcome =>
  statusCode >= 200 && statusCode < 400
    ? { healthy: true, statusCode }
    : { healthy: false, statusCode, message: `Unexpected HTTP response code: ${statusCode}` };
