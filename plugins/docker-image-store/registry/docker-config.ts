import { z } from "zod";
import { invalid, parseJson } from "../refusals.js";
import { canonicalHost } from "./endpoint.js";

/** What a registry is shown; all three kinds that Docker's configuration files hold. */
export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  /** Exchanged for tokens at the registry's token service (OAuth2 refresh token). */
  readonly identityToken?: string;
  /** Sent as it is. */
  readonly registryToken?: string;
}

/** By registry host. */
export type CredentialTable = ReadonlyMap<string, Credentials>;

const entry = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
  registrytoken: z.string().optional(),
});

const NO_CREDENTIALS: CredentialTable = new Map();

/**
 * The credentials of Docker's `config.json`, or of the older `.dockercfg`, which is the inner object alone. Entries without any
 * are passed over: Docker leaves them behind where a helper program keeps the secret.
 *
 * @param what names the source in errors; no secret is ever part of one
 * @throws TepuiError TEPUI_IMAGE_INVALID
 */
export function readDockerConfig(config: unknown, what: string): CredentialTable {
  if (config === undefined) return NO_CREDENTIALS;
  const refuse = (why: string): never => {
    throw invalid(`${what}: ${why}`);
  };
  if (!isObject(config)) return refuse("it is not a JSON object");
  const auths = "auths" in config ? config.auths : config;
  if (!isObject(auths)) return refuse("'auths' is not an object");
  const table = new Map<string, Credentials>();
  for (const [key, value] of Object.entries(auths)) {
    const parsed = entry.safeParse(value);
    if (!parsed.success) {
      // What else a newer file holds beside `auths` is none of ours; in the older form everything is a registry.
      return refuse(`the entry of '${key}' does not have the form of credentials`);
    }
    const credentials = credentialsOf(parsed.data);
    if (credentials === undefined) return refuse(`'auth' of '${key}' is not user:password in base64`);
    if (Object.keys(credentials).length > 0) table.set(hostOf(key), credentials);
  }
  return table;
}

/** As `readDockerConfig`, for the content of a secret. */
export const parseDockerConfig = (data: Buffer, what: string): CredentialTable =>
  readDockerConfig(parseJson(data, what), what);

function credentialsOf(data: z.output<typeof entry>): Credentials | undefined {
  let { username, password } = data;
  if (data.auth !== undefined && data.auth !== "") {
    const decoded = Buffer.from(data.auth, "base64").toString("utf8");
    const colon = decoded.indexOf(":");
    if (colon < 1) return undefined;
    username = decoded.slice(0, colon);
    // Docker pads with NULs.
    password = decoded.slice(colon + 1).replace(/\0+$/, "");
  }
  return {
    ...(username && { username }),
    ...(password && { password }),
    ...(data.identitytoken && { identityToken: data.identitytoken }),
    ...(data.registrytoken && { registryToken: data.registrytoken }),
  };
}

/** Keys are hosts, or URLs as Docker writes them (`https://index.docker.io/v1/`). */
const hostOf = (key: string): string => canonicalHost(key.replace(/^https?:\/\//, "").split("/", 1)[0]!);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
