import type { IncomingHttpHeaders } from "node:http";
import { parseAddress } from "./address.js";

/** Whom a message is for and what it is: what the request line says. */
export interface MessageTarget {
  readonly actor: string;
  readonly name: string;
}

/** How the body of a message ends. */
export type Framing = { readonly kind: "chunked" } | { readonly kind: "fixed"; readonly length: number };

/** What the header lines say: who sends, and how the body is framed. */
export interface MessageOrigin {
  /** Undefined when the sender does not give a usable address. */
  readonly from: string | undefined;
  readonly framing: Framing;
  /** The sender calls itself libprocess, which throws answers away unread. Others that speak its form may want them. */
  readonly patient: boolean;
}

const CHUNKED: Framing = { kind: "chunked" };
const NO_BODY: Framing = { kind: "fixed", length: 0 };
const AGENT_PREFIX = "libprocess/";
const MAX_FROM_LENGTH = 1024;

/**
 * Reads `POST /<actor>/<name> HTTP/1.1`; undefined for any other request line.
 *
 * @param line without its line end
 */
export function parseRequestLine(line: string): MessageTarget | undefined {
  const match = /^POST (\/[!-~]*) HTTP\/1\.1$/.exec(line);
  return match === null ? undefined : parseTarget(match[1]!);
}

/** Reads `/<actor>/<name>`; the actor may be percent-encoded. Undefined when it cannot be decoded. */
export function parseTarget(url: string): MessageTarget | undefined {
  const path = url.replace(/[?#].*$/s, "");
  const slash = path.indexOf("/", 1);
  const encoded = slash < 0 ? path.slice(1) : path.slice(1, slash);
  const name = slash < 0 ? "" : path.slice(slash + 1);
  try {
    return { actor: decodeURIComponent(encoded.replaceAll("+", " ")), name };
  } catch {
    return undefined;
  }
}

/**
 * Reads the header lines of a message. Undefined when the request is no message, or has anything that libprocess does not
 * send (compression, an expectation, another version of framing): plain HTTP then deals with it.
 *
 * @param lines header lines with their line ends, up to and without the empty line
 */
export function parseOrigin(lines: string): MessageOrigin | undefined {
  let from: string | undefined;
  let agent: string | undefined;
  let framing: Framing | undefined;
  for (const line of lines.split("\r\n")) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    if (colon <= 0) return undefined;
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, colon).toLowerCase()) {
      case "libprocess-from":
        from = value;
        break;
      case "user-agent":
        agent = value;
        break;
      case "transfer-encoding":
        if (value.toLowerCase() !== "chunked" || framing !== undefined) return undefined;
        framing = CHUNKED;
        break;
      case "content-length":
        if (!/^\d{1,15}$/.test(value) || framing !== undefined) return undefined;
        framing = { kind: "fixed", length: Number(value) };
        break;
      case "connection":
        if (value.toLowerCase() !== "keep-alive") return undefined;
        break;
      case "content-encoding":
      case "expect":
      case "upgrade":
        return undefined;
    }
  }
  const patient = agent?.startsWith(AGENT_PREFIX) === true;
  if (from === undefined && !patient) return undefined;
  return { from: senderOf(from, agent), framing: framing ?? NO_BODY, patient };
}

/** The sender's address; `Libprocess-From` comes first, as in libprocess. Undefined when it is none. */
export function senderOf(from: string | undefined, agent: string | undefined): string | undefined {
  const text = from?.trim() ?? (agent?.startsWith(AGENT_PREFIX) ? agent.slice(AGENT_PREFIX.length) : "");
  return text.length <= MAX_FROM_LENGTH && parseAddress(text) !== undefined ? text : undefined;
}

/** Is this POST a message? */
export function isMessage(headers: IncomingHttpHeaders): boolean {
  return headers["libprocess-from"] !== undefined || headers["user-agent"]?.startsWith(AGENT_PREFIX) === true;
}

const POST = Buffer.from("POST ");
const MARK = /\r\n(?:libprocess-from:|user-agent:[ \t]*libprocess\/)/i;

/** Do the first bytes of a connection begin a message? Undefined while that is open. */
export function beginsMessage(head: Buffer): boolean | undefined {
  const compared = Math.min(head.length, POST.length);
  if (head.compare(POST, 0, compared, 0, compared) !== 0) return false;
  const end = head.indexOf("\r\n\r\n");
  const text = head.toString("latin1", 0, end < 0 ? head.length : end);
  if (MARK.test(text)) return true;
  return end < 0 ? undefined : false;
}
