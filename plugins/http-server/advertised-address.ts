import { execFile } from "node:child_process";
import { lookup, lookupService } from "node:dns/promises";
import { isIP } from "node:net";
import { hostname as machineName, networkInterfaces } from "node:os";
import { promisify } from "node:util";
import type { Logger } from "../../sdk/contracts/logger.js";
import { messageOf, TepuiError } from "../../sdk/errors/index.js";

const DISCOVERY_LIMIT_MS = 30_000;

export interface Address {
  readonly ip: string;
  readonly port: number;
  readonly hostname: string;
}

export interface AddressSettings {
  readonly ip?: string | undefined;
  readonly ip_discovery_command?: string | undefined;
  readonly advertise_ip?: string | undefined;
  readonly advertise_port?: number | undefined;
  readonly hostname?: string | undefined;
  readonly hostname_lookup: boolean;
}

/** The address to listen on: `ip`, or what the discovery command prints, or every address of the machine. */
export async function bindAddress(settings: AddressSettings): Promise<string> {
  const { ip, ip_discovery_command: command } = settings;
  if (ip !== undefined && command !== undefined) {
    throw unknown("Only one of `--ip` or `--ip_discovery_command` should be specified");
  }
  if (command === undefined) return checked(ip ?? "0.0.0.0", "--ip");
  try {
    const { stdout } = await promisify(execFile)("/bin/sh", ["-c", command], { timeout: DISCOVERY_LIMIT_MS });
    return checked(stdout.trim(), "the output of --ip_discovery_command");
  } catch (error) {
    if (error instanceof TepuiError) throw error;
    throw unknown(`--ip_discovery_command '${command}' failed: ${messageOf(error)}`);
  }
}

/** What to tell others, for a socket bound to `ip` and `port`. */
export async function advertisedAddress(
  settings: AddressSettings,
  bound: { readonly ip: string; readonly port: number },
  logger: Logger,
): Promise<Address> {
  const ip =
    settings.advertise_ip === undefined
      ? await routable(bound.ip, logger)
      : checked(settings.advertise_ip, "--advertise_ip");
  const port = settings.advertise_port ?? bound.port;
  return { ip, port, hostname: settings.hostname ?? (await nameOf(ip, settings.hostname_lookup, logger)) };
}

/** Others cannot connect to `0.0.0.0`: the machine's own name says which address they should use, as in libprocess. */
async function routable(ip: string, logger: Logger): Promise<string> {
  if (ip !== "0.0.0.0" && ip !== "::") return ip;
  try {
    return (await lookup(machineName(), { family: ip === "::" ? 6 : 4 })).address;
  } catch (error) {
    const other = Object.values(networkInterfaces())
      .flatMap((entries) => entries ?? [])
      .find((entry) => !entry.internal && entry.family === "IPv4")?.address;
    const chosen = other ?? "127.0.0.1";
    logger.warn(
      { err: error, ip: chosen },
      `The machine's name does not resolve; others are told ${chosen}. Set --ip or --advertise_ip to choose`,
    );
    return chosen;
  }
}

async function nameOf(ip: string, reverseLookup: boolean, logger: Logger): Promise<string> {
  if (!reverseLookup) return ip;
  try {
    return (await lookupService(ip, 0)).hostname;
  } catch (error) {
    logger.warn(
      { ip, err: error },
      "The address has no name; it is used as the hostname. Set --hostname to choose",
    );
    return ip;
  }
}

function checked(ip: string, source: string): string {
  if (isIP(ip) === 0) throw unknown(`'${ip}' (${source}) is not an IP address`);
  return ip;
}

const unknown = (detail: string): TepuiError => new TepuiError("TEPUI_ADDRESS_UNKNOWN", { detail });
