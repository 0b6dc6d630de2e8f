import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { Clock } from "../../../sdk/contracts/clock.js";
import type { ExecutorClaims, ExecutorIdentity } from "../../../sdk/contracts/executor-service.js";
import type { Logger } from "../../../sdk/contracts/logger.js";
import { messageOf, TepuiError } from "../../../sdk/errors/index.js";

const HEADER = { alg: "HS256", typ: "JWT" };
const OTHERS = 0o007;

/**
 * Reads the key that signs tokens: all bytes of the file, unchanged. Throws TEPUI_AGENT_TOKEN_KEY_UNUSABLE.
 *
 * @param path value of `--jwt_secret_key`
 */
export function readTokenKey(path: string, logger: Logger): Buffer {
  try {
    const key = readFileSync(path);
    if (key.length === 0) throw new Error("it is empty");
    if ((statSync(path).mode & OTHERS) !== 0)
      logger.warn({ path }, "everybody on this host may use the file with the key of executors' tokens");
    return key;
  } catch (error) {
    throw new TepuiError("TEPUI_AGENT_TOKEN_KEY_UNUSABLE", {
      detail: `'${path}': ${messageOf(error)}`,
      cause: error,
    });
  }
}

/** The JSON Web Tokens (RFC 7519, HMAC with SHA-256) with which executors authenticate. */
export class ExecutorTokens {
  constructor(
    private readonly key: Uint8Array,
    private readonly clock: Pick<Clock, "now">,
  ) {}

  sign(claims: ExecutorClaims): string {
    const content = `${encoded(HEADER)}.${encoded(claims)}`;
    return `${content}.${this.signature(content).toString("base64url")}`;
  }

  /** @param authorization value of the Authorization header */
  identify(authorization: string | undefined): ExecutorIdentity {
    if (authorization === undefined) return { problem: "" };
    const [scheme, token, ...more] = authorization.split(" ");
    if (token === undefined || more.length > 0) return { problem: "Malformed 'Authorization' header" };
    if (scheme !== "Bearer") return { problem: "The scheme is not 'Bearer'" };
    try {
      return { claims: this.verified(token) };
    } catch (error) {
      return { problem: `Invalid JWT: ${messageOf(error)}` };
    }
  }

  private verified(token: string): ExecutorClaims {
    const [header = "", payload = "", signature = "", ...more] = token.split(".");
    if (more.length > 0 || signature === "") throw new Error("it does not have three parts");
    const { alg, crit } = decoded(header, "header");
    if (alg !== HEADER.alg || crit !== undefined) throw new Error("its algorithm is not supported");
    const expected = this.signature(`${header}.${payload}`);
    const given = Buffer.from(signature, "base64url");
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      throw new Error("its signature is another one");
    const claims = decoded(payload, "payload");
    if (typeof claims.exp === "number" && claims.exp * 1000 < this.clock.now())
      throw new Error("it has expired");
    return Object.fromEntries(
      Object.entries(claims).map(([name, value]) => [
        name,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    );
  }

  private signature(content: string): Buffer {
    return createHmac("sha256", this.key).update(content).digest();
  }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

function decoded(part: string, what: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // The error below covers this.
  }
  throw new Error(`its ${what} is no JSON object`);
}
