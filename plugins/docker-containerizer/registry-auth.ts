import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { errnoOf } from "../../sdk/errors/index.js";
import type { RegistryAuth } from "./engine.js";

/** What docker's own config files hold: `config.json` has `auths`, the older `.dockercfg` is that part alone. */
export type DockerConfig = Readonly<Record<string, unknown>>;

/** Names under which credentials for Docker Hub are kept. */
const HUB = ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io"];

/**
 * Credentials for a registry: those that the task's URIs brought into its sandbox, or else the operator's. Rejects with an Error when a
 * file cannot be read as what its name says.
 */
export async function credentials(options: {
  readonly registry: string;
  readonly sandbox: string;
  readonly fallback: DockerConfig | undefined;
}): Promise<RegistryAuth | undefined> {
  const { registry, sandbox, fallback } = options;
  const own =
    (await readConfig(join(sandbox, ".docker", "config.json"))) ??
    (await readConfig(join(sandbox, ".dockercfg")));
  const config = own ?? fallback;
  return config === undefined ? undefined : authOf(config, registry);
}

async function readConfig(path: string): Promise<DockerConfig | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
  const parsed = asRecord(parse(text));
  // Its text may hold a password: nothing of it is repeated.
  if (parsed === undefined) throw new Error(`${path} is not a JSON object`);
  return parsed;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The registry's part of a config. Throws an Error for one that only a program of the host could answer. */
export function authOf(config: DockerConfig, registry: string): RegistryAuth | undefined {
  const entries = asRecord(config.auths) ?? config;
  const names = registry === "docker.io" ? HUB : [registry];
  for (const [key, value] of Object.entries(entries)) {
    const entry = asRecord(value);
    if (entry === undefined || !(names.includes(key) || names.includes(hostOf(key)))) continue;
    const auth = authFrom(entry, key);
    if (auth !== undefined) return auth;
  }
  const helpers = asRecord(config.credHelpers) ?? {};
  if (names.some((name) => name in helpers) || typeof config.credsStore === "string") {
    throw new Error(
      `the credentials for ${registry} are kept by a credential helper; put them under "auths" in the Docker config instead`,
    );
  }
  return undefined;
}

const hostOf = (key: string): string => key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");

function authFrom(entry: Readonly<Record<string, unknown>>, key: string): RegistryAuth | undefined {
  const text = (value: unknown): string | undefined =>
    typeof value === "string" && value !== "" ? value : undefined;
  const token = text(entry.identitytoken);
  if (token !== undefined) return { identitytoken: token, serveraddress: key };
  const encoded = text(entry.auth);
  const [username, ...rest] =
    encoded === undefined ? [text(entry.username), text(entry.password)] : splitAuth(encoded);
  const password = rest[0];
  if (username === undefined || password === undefined) return undefined;
  return { username, password, serveraddress: key };
}

function splitAuth(encoded: string): (string | undefined)[] {
  const decoded = Buffer.from(encoded, "base64").toString().replace(/\0+$/, "");
  const at = decoded.indexOf(":");
  return at < 0 ? [] : [decoded.slice(0, at), decoded.slice(at + 1)];
}

const asRecord = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
