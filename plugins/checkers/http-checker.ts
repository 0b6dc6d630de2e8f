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
  Repetition,
} from "../../sdk/contracts/checker.js";
import { messageOf } from "../../sdk/errors/index.js";
import { type HttpHead, readHead } from "./http-head.js";
import type { Answer } from "./network/check-helper.js";
import type { Network, Place, Verdicts } from "./network/network.js";

/** As many as curl follows. */
const MOST_REDIRECTIONS = 50;

interface Request {
  readonly scheme: string;
  readonly address: string;
  readonly port: number;
  /** As in the `Host` header, without port. */
  readonly host: string;
  /** As it is sent, a character a byte. */
  readonly text: string;
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
    return new HttpCheck(place, request({ scheme, address, port, host, path }));
  }
}

class HttpCheck implements PreparedCheck {
  /** Where a redirection leads is not asked without the agent. */
  private redirects = false;

  constructor(
    private readonly place: Place,
    private readonly first: Request,
  ) {}

  async run(signal: AbortSignal): Promise<CheckOutcome | undefined> {
    const { place, first } = this;
    const found = await fetchHead(place, first, signal);
    if (found === undefined) return undefined;
    this.redirects = found.location !== undefined;
    if (found.location === undefined) return found.outcome;
    return follow(place, { request: first, location: found.location }, signal);
  }

  repeat({ interval, timeout, found, late, ended }: Repetition): (() => void) | undefined {
    const { address, port, scheme, text } = this.first;
    if (scheme !== "http" || this.redirects) return undefined;
    const stop = this.place.repeat({ address, port, request: text }, { interval, timeout }, (answer) => {
      if (answer === "late") return late();
      if (answer === "gone") return ended();
      const { outcome, location } = foundIn(answer);
      if (location === undefined) return found(outcome);
      this.redirects = true;
      stop?.();
      ended();
    });
    return stop;
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
    text: `${lines.join("\r\n")}\r\n\r\n`,
    url: `${scheme}://${host}:${port}${target}`,
  };
}

/** Goes where redirections lead. */
async function follow(
  place: Place,
  first: { readonly request: Request; readonly location: string },
  signal: AbortSignal,
): Promise<CheckOutcome | undefined> {
  let { request: to, location } = first;
  for (let redirections = 0; ; redirections++) {
    if (signal.aborted) return undefined;
    if (redirections === MOST_REDIRECTIONS) return { healthy: false, message: "it redirects without end" };
    try {
      to = await redirected(to, location);
    } catch (error) {
      return { healthy: false, message: `it redirects to '${location}': ${messageOf(error)}` };
    }
    const found = await fetchHead(place, to, signal);
    if (found?.location === undefined) return found?.outcome;
    location = found.location;
  }
}

interface Found {
  readonly outcome: CheckOutcome;
  /** To be asked instead. */
  readonly location: string | undefined;
}

function fetchHead(place: Place, to: Request, signal: AbortSignal): Promise<Found | undefined> {
  const { address, port, scheme, text } = to;
  if (scheme === "http" && place.canAsk) {
    const answered = place.ask({ address, port, request: text, signal });
    return answered.then((answer) => answer && foundIn(answer));
  }
  const heads: HttpHead[] = [];
  const exchanged = place.exchange({ address, port, signal }, (connection, verdicts) =>
    talk(connection, to, { verdicts, head: (head) => void heads.push(head) }),
  );
  return exchanged.then((outcome) => outcome && { outcome, location: heads[0]?.location });
}

function foundIn({ status, text, problem }: Answer): Found {
  if (status !== undefined) return { outcome: outcomeOf(status), location: undefined };
  if (problem !== undefined) return unhealthy(problem.message);
  try {
    const head = readHead(text);
    if (head === undefined) return unhealthy(NO_ANSWER);
    return { outcome: outcomeOf(head.status), location: head.location };
  } catch (error) {
    return unhealthy(messageOf(error));
  }
}

const unhealthy = (message: string): Found => ({
  outcome: { healthy: false, message },
  location: undefined,
});

const NO_ANSWER = "it closed the connection without an answer";

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
  stream.on("end", () => failed(new Error(NO_ANSWER)));
  stream.write(to.text, "latin1");
}

const outcomeOf = (statusCode: number): CheckOutcome =>
  statusCode >= 200 && statusCode < 400
    ? { healthy: true, statusCode }
    : { healthy: false, statusCode, message: `Unexpected HTTP response code: ${statusCode}` };
